//! The real binary on real files.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The folder of the checkout.
pub fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The `weir` binary that was built with these tests.
///
/// # Panics
/// When there is none: `cargo test --workspace` builds it first.
pub fn binary() -> PathBuf {
    let mut folder = std::env::current_exe().unwrap_or_default();
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let binary = folder.join(format!("weir{}", std::env::consts::EXE_SUFFIX));
    assert!(binary.is_file(), "{} is missing: run `cargo test --workspace`", binary.display());
    binary
}

/// A folder with a project in it, gone when dropped.
#[derive(Debug)]
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// An empty folder.
    pub fn empty() -> io::Result<Self> {
        Ok(Self(tempfile::tempdir()?))
    }

    /// A copy of a project, without what Weir keeps there.
    pub fn copy_of(project: &Path) -> io::Result<Self> {
        let folder = Self::empty()?;
        copy(project, folder.path())?;
        Ok(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file in it.
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let file = self.path().join(path);
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(file, bytes)
    }

    /// Reads a file in it.
    pub fn read(&self, path: &str) -> io::Result<String> {
        std::fs::read_to_string(self.path().join(path))
    }

    /// Whether something is there.
    pub fn has(&self, path: &str) -> bool {
        self.path().join(path).exists()
    }

    /// The command line `weir …` in this folder, not started yet.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(args).current_dir(self.path()).env("WEIR_USER", "tester");
        command
    }

    /// Runs `weir …` in this folder.
    pub fn weir(&self, args: &[&str]) -> io::Result<Ran> {
        Ok(Ran::of(self.command(args).output()?))
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == ".weir" || name == "out" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            std::fs::create_dir_all(to.join(&name))?;
            copy(&entry.path(), &to.join(&name))?;
        } else {
            std::fs::copy(entry.path(), to.join(&name))?;
        }
    }
    Ok(())
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; `None` when it was killed.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Standard output as JSON.
    pub fn json(&self) -> serde_json::Result<serde_json::Value> {
        serde_json::from_str(&self.out)
    }
}
