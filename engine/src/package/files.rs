//! The files of a package, in memory: read from a folder or from the one file it is packed into.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use weir_nodes::Problem;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::{Manifest, is_package};

/// What a packed package is called at its end.
pub const ENDING: &str = "weirpkg";
/// The most bytes a package may have, unpacked.
const MOST: u64 = 256 << 20;
/// What lies in a package's folder without belonging to it: what people bind, and what runs leave.
const LOCAL: [&str; 3] = ["bindings", "out", "data"];

/// The files of a package, by their path inside it with `/` between folders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files(pub BTreeMap<String, Vec<u8>>);

/// Whether a path stays inside the package and means the same on every system.
fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && !path.contains(['\\', ':', '\0'])
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != ".." && !part.ends_with(['.', ' ']))
}

fn trouble(file: &Path) -> impl Fn(std::io::Error) -> Problem {
    move |error| {
        Problem::error(format!("The package cannot be read: {error}."))
            .in_file(file.display().to_string(), None)
            .help("Check its permissions.")
    }
}

impl Files {
    /// Those of a folder or of a packed file.
    pub fn open(path: &Path) -> Result<Self, Problem> {
        if path.is_dir() {
            Self::of_folder(path)
        } else {
            Self::unpack(&std::fs::read(path).map_err(trouble(path))?, &path.display().to_string())
        }
    }

    /// Those of a folder. What is hidden or belongs to a run is left out.
    pub fn of_folder(folder: &Path) -> Result<Self, Problem> {
        if !is_package(folder) {
            let problem = Problem::error("This folder is no package: it has no package.json of Weir's.");
            return Err(problem.in_file(folder.display().to_string(), None).help("`weir template new` makes one."));
        }
        let mut files = Self::default();
        let mut waiting = vec![PathBuf::new()];
        while let Some(inner) = waiting.pop() {
            let here = folder.join(&inner);
            for entry in std::fs::read_dir(&here).map_err(trouble(&here))? {
                let entry = entry.map_err(trouble(&here))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let local = inner.as_os_str().is_empty() && LOCAL.contains(&name.as_str());
                if name.starts_with('.') || name == "__pycache__" || local {
                    continue;
                }
                let path = inner.join(&name);
                // A link is not followed: it may lead out of the package.
                let kind = entry.file_type().map_err(trouble(&here))?;
                if kind.is_dir() {
                    waiting.push(path);
                } else if kind.is_file() {
                    let bytes = std::fs::read(entry.path()).map_err(trouble(&entry.path()))?;
                    files.0.insert(path.to_string_lossy().replace('\\', "/"), bytes);
                }
            }
        }
        Ok(files)
    }

    /// Those of a packed package; `shown` names it in problems.
    pub fn unpack(bytes: &[u8], shown: &str) -> Result<Self, Problem> {
        let broken = |what: String| Problem::error(what).in_file(shown, None).help("Get the package again from where it was published.");
        let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(format!("This is no packed package: {error}.")))?;
        let mut files = Self::default();
        let mut size = 0_u64;
        for place in 0..archive.len() {
            let entry = archive.by_index(place).map_err(|error| broken(format!("The package is damaged: {error}.")))?;
            let name = entry.name().map_err(|error| broken(format!("The package is damaged: {error}.")))?.into_owned();
            if !is_inside(&name) || entry.is_symlink() {
                return Err(broken(format!("The package has a file \"{name}\" that leads out of it; nothing was unpacked.")));
            }
            // The size that the archive states may be a lie: what is read is counted.
            let mut content = Vec::new();
            let read = entry.take(MOST + 1 - size).read_to_end(&mut content);
            read.map_err(|error| broken(format!("\"{name}\" in the package is damaged: {error}.")))?;
            size += content.len() as u64;
            if size > MOST {
                return Err(broken(format!("The package is larger than {} MB when unpacked.", MOST >> 20)));
            }
            if files.0.insert(name.clone(), content).is_some() {
                return Err(broken(format!("The package has two files \"{name}\".")));
            }
        }
        Ok(files)
    }

    /// One file with all of them. The same files make the same bytes.
    pub fn pack(&self) -> Result<Vec<u8>, Problem> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).last_modified_time(DateTime::default());
        let packed = || -> zip::result::ZipResult<Vec<u8>> {
            let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
            for (path, bytes) in &self.0 {
                archive.start_file(path.as_str(), options)?;
                archive.write_all(bytes)?;
            }
            Ok(archive.finish()?.into_inner())
        };
        packed().map_err(|error| Problem::error(format!("The package cannot be packed: {error}.")))
    }

    /// Writes them into a folder, which is made.
    pub fn write(&self, folder: &Path) -> Result<(), Problem> {
        for (path, bytes) in &self.0 {
            let file = folder.join(path);
            let written = std::fs::create_dir_all(file.parent().unwrap_or(folder)).and_then(|()| std::fs::write(&file, bytes));
            written.map_err(|error| {
                let problem = Problem::error(format!("The package cannot be written: {error}."));
                problem.in_file(file.display().to_string(), None).help("Check the disk's space and the folder's permissions.")
            })?;
        }
        Ok(())
    }

    /// The text of a file; none when it is not there.
    pub fn text(&self, path: &str) -> Result<Option<&str>, Problem> {
        let text = self.0.get(path).map(|bytes| std::str::from_utf8(bytes)).transpose();
        text.map_err(|_| Problem::error("The file is not UTF-8 text.").in_file(path, None))
    }

    /// What packed files of this package are called.
    pub fn file_name(manifest: &Manifest) -> String {
        format!("{}-{}.{ENDING}", manifest.id, manifest.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_climb_out_are_not_inside() {
        for good in ["package.json", "workflows/a.json", "a..b/c"] {
            assert!(is_inside(good), "{good}");
        }
        for bad in ["", "/etc/passwd", "../x", "a/../../x", "a//b", "C:/x", "a\\..\\b", "./a", "a/", "a/.. /b"] {
            assert!(!is_inside(bad), "{bad}");
        }
    }
}
