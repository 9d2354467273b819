//! The signature of a package: every file by its hash, signed with the publisher's ed25519 key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use weir_nodes::Problem;

use super::{Files, Manifest};
use crate::approval::{Key, is_signed};

/// The file with the signature; everything else is signed.
pub const SEAL: &str = "signature.json";
/// The format that is written, and the newest that is read.
const FORMAT: u32 = 1;

/// A publisher's signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    weir_signature: u32,
    /// Who signed.
    pub publisher: String,
    /// The public half of their key.
    pub key: String,
    /// The hash of each file.
    files: BTreeMap<String, String>,
    /// Over the package's name and version, the publisher and the files.
    signature: String,
}

fn hashes(files: &Files) -> BTreeMap<String, String> {
    let signed = files.0.iter().filter(|(path, _)| *path != SEAL);
    signed.map(|(path, bytes)| (path.clone(), blake3::hash(bytes).to_hex().to_string())).collect()
}

/// What is signed.
fn meaning(manifest: &Manifest, publisher: &str, files: &BTreeMap<String, String>) -> Vec<u8> {
    serde_json::json!({ "id": manifest.id, "version": manifest.version, "publisher": publisher, "files": files }).to_string().into_bytes()
}

/// Signs a package: gives the files with the signature among them.
pub fn sign(files: &Files, key: &Key) -> Result<Files, Problem> {
    let manifest = Manifest::of(files)?;
    let hashed = hashes(files);
    let publisher = manifest.publisher.clone();
    let signature = key.sign(&meaning(&manifest, &publisher, &hashed));
    let seal = Seal { weir_signature: FORMAT, publisher, key: key.public(), files: hashed, signature };
    let text = serde_json::to_string_pretty(&seal).map_err(|error| Problem::error(format!("The signature cannot be written: {error}.")))?;
    let mut signed = files.clone();
    signed.0.insert(SEAL.to_owned(), format!("{text}\n").into_bytes());
    Ok(signed)
}

/// Who signed these files. Refuses a package that is not signed, or was changed since.
pub fn verify(files: &Files) -> Result<Seal, Problem> {
    let help = "Get the package again from its publisher; what somebody changed is not what was signed.";
    let Some(text) = files.text(SEAL)? else {
        return Err(Problem::error("The package is not signed.")
            .help("Ask its publisher to sign it; what you trust all the same is taken with --unsigned."));
    };
    let seal: Seal = serde_json::from_str(text).map_err(|error| {
        Problem::error(format!("The signature cannot be read: {error}.")).in_file(SEAL, Some(error.line() as u64)).help(help)
    })?;
    if seal.weir_signature > FORMAT {
        return Err(Problem::error("The signature has a newer format than this Weir reads.").in_file(SEAL, None).help("Update Weir."));
    }
    let found = hashes(files);
    let changed = found.iter().find(|(path, hash)| seal.files.get(*path) != Some(hash));
    if let Some((path, _)) = changed {
        let what = if seal.files.contains_key(path) {
            "was changed after the package was signed"
        } else {
            "was added after the package was signed"
        };
        return Err(Problem::error(format!("\"{path}\" {what}.")).in_file(path, None).help(help));
    }
    if let Some(path) = seal.files.keys().find(|path| !found.contains_key(*path)) {
        return Err(Problem::error(format!("\"{path}\" was signed and is missing.")).in_file(path, None).help(help));
    }
    let manifest = Manifest::of(files)?;
    if seal.publisher != manifest.publisher || !is_signed(&seal.key, &meaning(&manifest, &seal.publisher, &seal.files), &seal.signature) {
        return Err(Problem::error("The signature does not belong to this package.").in_file(SEAL, None).help(help));
    }
    Ok(seal)
}
