//! Scripts and identifiers.

/// How bad what the plugin found is beyond its figures, by exit codes: of items that are worse than all their figures
/// and parts. Zabbix runs it on the document.
pub(super) const PROBLEM: &str = "\
var codes = {OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3}, order = ['OK', 'UNKNOWN', 'WARNING', 'CRITICAL'];
function rank(thing) { return order.indexOf(thing.state); }
function beyond(item) {
    var parts = item.children || [], own = rank(item);
    var explained = Math.max.apply(null, [0].concat((item.metrics || []).map(rank), parts.map(rank)));
    return Math.max.apply(null, [own > explained ? own : 0].concat(parts.map(beyond)));
}
var items = JSON.parse(value).items;
return items.length ? codes[order[Math.max.apply(null, items.map(beyond))]] : codes.UNKNOWN;";

/// The things that one of the metrics NAMES is there for.
pub(super) const DISCOVER: &str = "\
var names = NAMES, found = {};
function look(item) {
    (item.metrics || []).forEach(function (metric) {
        if (metric.instance !== undefined && names.indexOf(metric.name) >= 0) {
            found[metric.instance] = true;
        }
    });
    (item.children || []).forEach(look);
}
JSON.parse(value).items.forEach(look);
return JSON.stringify(Object.keys(found).map(function (name) { return {'{#NAME}': name}; }));";

/// An identifier that is the same for the same parts, in the form of a random UUID, which Zabbix demands.
pub(super) fn uuid(parts: &[&str]) -> String {
    // FNV-1a of 128 bits.
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for byte in ["monitoring-plugins-sirenia"].iter().chain(parts).flat_map(|part| part.bytes().chain([0])) {
        hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    // Version 4, and the variant of RFC 9562.
    hash = hash & !(0xf << 76) | 4 << 76;
    hash = hash & !(0b11 << 62) | 0b10 << 62;
    format!("{hash:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_of_version_4_and_differs_by_its_parts() {
        let one = uuid(&["a", "b"]);
        assert_eq!((one.len(), &one[12..13]), (32, "4"));
        assert!("89ab".contains(&one[16..17]), "{one}");
        assert_eq!(one, uuid(&["a", "b"]));
        assert_ne!(one, uuid(&["ab"]));
    }
}
