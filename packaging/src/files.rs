//! Generated files: writing them and comparing them with what is there.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// All generated files of one kind. Their folder holds no other file with their suffix.
#[derive(Debug)]
pub struct Set {
    /// The folder, below the workspace's.
    folder: &'static str,
    /// How every name ends.
    suffix: &'static str,
    /// Text by name without suffix.
    files: BTreeMap<&'static str, String>,
}

impl Set {
    /// A set whose files are called `NAME` and `suffix`.
    pub fn new(folder: &'static str, suffix: &'static str, files: BTreeMap<&'static str, String>) -> Self {
        Self { folder, suffix, files }
    }

    /// Writes what differs, removes what is superfluous and says what it did.
    pub fn write(&self, root: &Path) -> Result<Vec<String>, String> {
        let mut done = Vec::new();
        for (name, text) in &self.files {
            let shown = self.shown(name);
            let path = root.join(&shown);
            if read(&path)?.as_deref() != Some(text.as_bytes()) {
                fs::create_dir_all(root.join(self.folder)).map_err(|error| fault(&path, &error))?;
                fs::write(&path, text).map_err(|error| fault(&path, &error))?;
                done.push(format!("wrote {shown}"));
            }
        }
        for shown in self.superfluous(root)? {
            let path = root.join(&shown);
            fs::remove_file(&path).map_err(|error| fault(&path, &error))?;
            done.push(format!("removed {shown}"));
        }
        Ok(done)
    }

    /// One sentence for each file that is not as it should be.
    pub fn faults(&self, root: &Path) -> Result<Vec<String>, String> {
        let mut faults = Vec::new();
        for (name, text) in &self.files {
            let shown = self.shown(name);
            match read(&root.join(&shown))? {
                Some(found) if found == text.as_bytes() => {}
                Some(_) => faults.push(format!("{shown} is stale")),
                None => faults.push(format!("{shown} is missing")),
            }
        }
        faults.extend(self.superfluous(root)?.iter().map(|shown| format!("{shown} is superfluous")));
        Ok(faults)
    }

    /// The files of this set that are there, stale or not.
    pub fn present(&self, root: &Path) -> Vec<PathBuf> {
        self.files.keys().map(|name| root.join(self.shown(name))).filter(|path| path.is_file()).collect()
    }

    fn shown(&self, name: &str) -> String {
        format!("{}/{name}{}", self.folder, self.suffix)
    }

    fn superfluous(&self, root: &Path) -> Result<Vec<String>, String> {
        let folder = root.join(self.folder);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(fault(&folder, &error)),
        };
        let mut superfluous = Vec::new();
        for entry in entries {
            let file = entry.map_err(|error| fault(&folder, &error))?.file_name();
            let name = file.to_string_lossy();
            if name.strip_suffix(self.suffix).is_some_and(|name| !self.files.contains_key(name)) {
                superfluous.push(format!("{}/{name}", self.folder));
            }
        }
        superfluous.sort();
        Ok(superfluous)
    }
}

/// The bytes of a file, `None` if it does not exist.
fn read(path: &Path) -> Result<Option<Vec<u8>>, String> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fault(path, &error)),
    }
}

fn fault(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_named_and_mended() {
        let root = tempfile::tempdir().unwrap();
        let set = Set::new("man", ".8", BTreeMap::from([("a", "A\n".to_owned()), ("b", "B\n".to_owned())]));
        assert_eq!(set.faults(root.path()).unwrap(), ["man/a.8 is missing", "man/b.8 is missing"]);
        fs::create_dir(root.path().join("man")).unwrap();
        for (name, text) in [("b.8", "old"), ("c.8", ""), ("README.md", "")] {
            fs::write(root.path().join("man").join(name), text).unwrap();
        }
        assert_eq!(
            set.faults(root.path()).unwrap(),
            ["man/a.8 is missing", "man/b.8 is stale", "man/c.8 is superfluous"]
        );
        assert_eq!(set.write(root.path()).unwrap(), ["wrote man/a.8", "wrote man/b.8", "removed man/c.8"]);
        assert_eq!(set.faults(root.path()).unwrap(), Vec::<String>::new());
        assert_eq!(set.write(root.path()).unwrap(), Vec::<String>::new());
        assert_eq!(set.present(root.path()).len(), 2);
        assert!(root.path().join("man/README.md").exists());
    }
}
