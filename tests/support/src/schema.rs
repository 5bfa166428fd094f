//! JSON documents against a JSON schema.

use std::path::Path;

use serde_json::Value;

/// Reads `document`, which must be valid by the schema in the file `schema`.
#[track_caller]
pub fn assert_valid(schema: &Path, document: &str) -> Value {
    let instance: Value =
        serde_json::from_str(document).unwrap_or_else(|error| panic!("not JSON ({error}):\n{document}"));
    let faults = faults(schema, &instance);
    assert!(faults.is_empty(), "not valid by {}:\n{}\n{document}", schema.display(), faults.join("\n"));
    instance
}

/// Where `instance` is not as the schema in the file `schema` wants it, one sentence each.
pub fn faults(schema: &Path, instance: &Value) -> Vec<String> {
    let text =
        std::fs::read_to_string(schema).unwrap_or_else(|error| panic!("cannot read {}: {error}", schema.display()));
    let schema_value: Value =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{} is not JSON: {error}", schema.display()));
    let validator = jsonschema::validator_for(&schema_value)
        .unwrap_or_else(|error| panic!("{} is not a schema: {error}", schema.display()));
    validator.iter_errors(instance).map(|error| format!("at {}: {error}", error.instance_path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text =
            r#"{"type":"object","required":["a"],"properties":{"a":{"type":"integer"}},"additionalProperties":false}"#;
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn a_valid_document_is_read() {
        assert_eq!(assert_valid(schema().path(), r#"{"a":1}"#)["a"], 1);
    }

    #[test]
    fn each_fault_is_named_with_its_place() {
        let instance = serde_json::json!({"a": "x", "b": 1});
        let faults = faults(schema().path(), &instance);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults.iter().any(|fault| fault.contains("at /a")), "{faults:?}");
    }

    #[test]
    #[should_panic(expected = "not JSON")]
    fn what_is_not_json_is_refused() {
        assert_valid(schema().path(), "{");
    }
}
