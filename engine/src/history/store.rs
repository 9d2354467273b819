//! Objects and references on disk: nothing that was written is ever changed, and every reference is replaced in one step.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::run::write_durably;

/// How many hexadecimal digits an id has.
const DIGITS: usize = 64;

/// The objects of a project's history, by the hash of their bytes, and the names that point to them.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    folder: PathBuf,
}

/// Why an object cannot be had.
#[derive(Debug)]
pub(crate) enum Missing {
    /// It is not there.
    Absent,
    /// Its bytes are not those it was saved with.
    Altered(PathBuf),
    /// The disk says no.
    Io(io::Error),
}

impl Store {
    pub(crate) fn open(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    fn place(&self, id: &str) -> PathBuf {
        let (two, rest) = id.split_at_checked(2).unwrap_or((id, ""));
        self.folder.join("objects").join(two).join(rest)
    }

    /// Writes an object durably and gives its id. One that is there already is left as it is.
    pub(crate) fn put(&self, bytes: &[u8]) -> io::Result<String> {
        let id = blake3::hash(bytes).to_hex().to_string();
        let place = self.place(&id);
        if place.is_file() {
            return Ok(id);
        }
        let folder = place.parent().unwrap_or(&self.folder);
        let new = !folder.is_dir();
        fs::create_dir_all(folder)?;
        let mut near = tempfile::NamedTempFile::new_in(folder)?;
        near.write_all(bytes)?;
        near.as_file().sync_all()?;
        near.persist(&place).map_err(|error| error.error)?;
        if cfg!(unix) {
            File::open(folder)?.sync_all()?;
            if new && let Some(above) = folder.parent() {
                File::open(above)?.sync_all()?;
            }
        }
        Ok(id)
    }

    /// An object's bytes, which are those it was saved with.
    pub(crate) fn get(&self, id: &str) -> Result<Vec<u8>, Missing> {
        let place = self.place(id);
        let bytes =
            fs::read(&place).map_err(|error| if error.kind() == io::ErrorKind::NotFound { Missing::Absent } else { Missing::Io(error) })?;
        if blake3::hash(&bytes).to_hex().as_str() == id { Ok(bytes) } else { Err(Missing::Altered(place)) }
    }

    /// The ids that begin with these digits.
    pub(crate) fn find(&self, prefix: &str) -> Vec<String> {
        let folders: Vec<String> = match prefix.get(..2) {
            Some(two) => vec![two.to_owned()],
            None => names(&self.folder.join("objects")),
        };
        let mut found = Vec::new();
        for two in folders {
            found.extend(names(&self.folder.join("objects").join(&two)).into_iter().map(|rest| format!("{two}{rest}")));
        }
        found.retain(|id| id.starts_with(prefix) && id.len() == DIGITS);
        found.sort();
        found
    }

    /// Every object.
    pub(crate) fn all(&self) -> Vec<String> {
        self.find("")
    }

    fn reference(&self, name: &str) -> PathBuf {
        self.folder.join("refs").join(name)
    }

    /// What a name points to.
    pub(crate) fn read_ref(&self, name: &str) -> io::Result<Option<String>> {
        match fs::read_to_string(self.reference(name)) {
            Ok(text) => Ok(Some(text.trim_end_matches('\n').to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Points a name to something, durably and in one step.
    pub(crate) fn write_ref(&self, name: &str, value: &str) -> io::Result<()> {
        let path = self.reference(name);
        fs::create_dir_all(path.parent().unwrap_or(&self.folder))?;
        write_durably(&path, value)
    }

    /// The names below a name.
    pub(crate) fn refs(&self, below: &str) -> Vec<String> {
        names(&self.reference(below))
    }

    /// The folders of references, each a workflow's.
    pub(crate) fn workflows(&self) -> Vec<String> {
        fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
            let Ok(entries) = fs::read_dir(folder) else { return };
            for path in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
                if path.join("heads").is_dir() {
                    found.extend(path.strip_prefix(root).ok().map(|path| path.to_string_lossy().replace('\\', "/")));
                }
                walk(&path, root, found);
            }
        }
        let root = self.folder.join("refs");
        let mut found = Vec::new();
        walk(&root, &root, &mut found);
        found.sort();
        found
    }
}

/// The names in a folder, sorted; none where there is none.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}
