//! `weir template new`, `sign`, `verify`, `pack` and `publish`.

use std::path::{Path, PathBuf};

use clap::Args;
use weir_engine::Problem;
use weir_engine::approval::{Key, passphrase};
use weir_engine::package::registry::{INDEX, publish};
use weir_engine::package::seal::{SEAL, sign, verify};
use weir_engine::package::{Files, Manifest, scaffold};
use weir_engine::project::user;

use crate::{End, output};

/// Start a package of your own.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  weir template new my-package && weir template test my-package")]
pub(crate) struct New {
    /// Its name, which is also its folder's
    id: String,
    /// The folder it is made in
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    into: PathBuf,
    /// Who publishes it [default: you]
    #[arg(long)]
    publisher: Option<String>,
}

/// Sign a package with your key.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  weir key new && weir template sign my-package")]
pub(crate) struct Sign {
    /// The package's folder
    #[arg(default_value = ".")]
    package: PathBuf,
}

/// Check the signature of a package.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The package's folder or packed file
    #[arg(default_value = ".")]
    package: PathBuf,
}

/// Pack a package into one file.
#[derive(Debug, Args)]
pub(crate) struct Pack {
    /// The package's folder
    #[arg(default_value = ".")]
    package: PathBuf,
    /// The folder the file is put into
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    into: PathBuf,
    /// Pack it although nobody signed it
    #[arg(long)]
    unsigned: bool,
}

/// Put a signed package into a registry: a folder, or what a static site is made of.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  weir template publish my-package --to ../registry\n\nServe that folder with any web server, or share it; then: weir template list --registry URL"
)]
pub(crate) struct Publish {
    /// The package's folder or packed file
    #[arg(default_value = ".")]
    package: PathBuf,
    /// The registry's folder; made when it does not exist
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
}

fn ended(done: Result<String, Problem>) -> End {
    match done {
        Ok(text) => {
            output::say(&text);
            End::Done
        }
        Err(problem) => output::problems(&[problem]),
    }
}

fn unwritten(file: &Path) -> impl Fn(std::io::Error) -> Problem {
    move |error| {
        Problem::error(format!("The file cannot be written: {error}."))
            .in_file(file.display().to_string(), None)
            .help("Check the folder's permissions.")
    }
}

impl New {
    pub(crate) fn execute(self) -> End {
        let folder = self.into.join(&self.id);
        let made = || {
            let files = scaffold::new(&self.id, &self.publisher.clone().unwrap_or_else(user))?;
            if folder.exists() {
                let problem = Problem::error("There is something of this name already.").in_file(folder.display().to_string(), None);
                return Err(problem.help("Choose another name."));
            }
            files.write(&folder)?;
            Ok(format!("A package stands in {}. Look at it:\n  weir template test {0}\n  weir template review {0}", folder.display()))
        };
        ended(made())
    }
}

impl Sign {
    pub(crate) fn execute(self) -> End {
        let signed = || {
            let files = Files::of_folder(&self.package)?;
            let key = Key::open(&user(), &passphrase(false)?)?;
            let signed = sign(&files, &key)?;
            let file = self.package.join(SEAL);
            let bytes = signed.0.get(SEAL).cloned().unwrap_or_default();
            std::fs::write(&file, bytes).map_err(unwritten(&file))?;
            Ok(format!("Signed {} with {}.", Manifest::of(&signed)?.shown(), key.public()))
        };
        ended(signed())
    }
}

impl Verify {
    pub(crate) fn execute(self) -> End {
        let verified = || {
            let files = Files::open(&self.package)?;
            let seal = verify(&files)?;
            Ok(format!("{} is as {} signed it with {}.", Manifest::of(&files)?.shown(), seal.publisher, seal.key))
        };
        ended(verified())
    }
}

impl Pack {
    pub(crate) fn execute(self) -> End {
        let packed = || {
            let files = Files::open(&self.package)?;
            let manifest = Manifest::of(&files)?;
            if !self.unsigned {
                verify(&files)?;
            }
            let file = self.into.join(Files::file_name(&manifest));
            let bytes = files.pack()?;
            std::fs::create_dir_all(&self.into).and_then(|()| std::fs::write(&file, &bytes)).map_err(unwritten(&file))?;
            Ok(format!("{} ({} bytes)", file.display(), output::count(bytes.len() as u64)))
        };
        ended(packed())
    }
}

impl Publish {
    pub(crate) fn execute(self) -> End {
        let published = || {
            let entry = publish(&Files::open(&self.package)?, &self.to)?;
            Ok(format!("{} {} stands in {}.", entry.id, entry.version, self.to.join(INDEX).display()))
        };
        ended(published())
    }
}
