//! A person's key: an ed25519 pair whose secret half lies in a file, sealed with a passphrase.

use std::io::IsTerminal;
use std::num::NonZeroU32;
use std::path::PathBuf;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::pbkdf2;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use weir_nodes::Problem;

/// The variable with the passphrase, where nobody can be asked.
pub const PASSPHRASE: &str = "WEIR_PASSPHRASE";
/// The variable with the folder of keys.
const FOLDER: &str = "WEIR_KEYS";
/// The format of key files that this program writes.
const FORMAT: u32 = 1;
/// How often the passphrase is hashed: what OWASP advises for PBKDF2 with SHA-256 (2023).
const ROUNDS: u32 = 600_000;
/// How many letters a passphrase has at least.
const SHORTEST: usize = 8;

/// A key file.
#[derive(Debug, Serialize, Deserialize)]
struct Sealed {
    weir_key: u32,
    person: String,
    public: String,
    rounds: u32,
    salt: String,
    nonce: String,
    secret: String,
}

/// A key that was opened.
pub struct Key {
    pair: Ed25519KeyPair,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("public", &self.public()).finish_non_exhaustive()
    }
}

fn broken() -> Problem {
    Problem::error("The key cannot be made: the system gives no random numbers.").help("Try again.")
}

fn folder() -> Result<PathBuf, Problem> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set(FOLDER)
        .or_else(|| set("XDG_CONFIG_HOME").map(|config| config.join("weir/keys")))
        .or_else(|| set("HOME").map(|home| home.join(".config/weir/keys")))
        .or_else(|| set("APPDATA").map(|config| config.join("weir/keys")))
        .ok_or_else(|| Problem::error("There is no folder for keys.").help(format!("Name one in the environment variable {FOLDER}.")))
}

fn file(person: &str) -> Result<PathBuf, Problem> {
    let plain: String = person.chars().map(|c| if c.is_alphanumeric() || "-_.@".contains(c) { c } else { '_' }).collect();
    Ok(folder()?.join(format!("{plain}.key")))
}

/// The passphrase: of the environment, else asked for on the terminal.
pub fn passphrase(twice: bool) -> Result<String, Problem> {
    if let Ok(set) = std::env::var(PASSPHRASE) {
        return Ok(set);
    }
    if !std::io::stdin().is_terminal() {
        return Err(Problem::error("The key's passphrase is not known.").help(format!("Set {PASSPHRASE}, or run this on a terminal.")));
    }
    let ask = |question: &str| {
        rpassword::prompt_password(question).map_err(|error| Problem::error(format!("The passphrase cannot be read: {error}.")))
    };
    let first = ask("Passphrase: ")?;
    if twice && ask("Again: ")? != first {
        return Err(Problem::error("The two passphrases differ.").help("Nothing was written; try again."));
    }
    Ok(first)
}

fn sealing(passphrase: &str, salt: &[u8], rounds: u32) -> Result<LessSafeKey, Problem> {
    let rounds = NonZeroU32::new(rounds).ok_or_else(broken)?;
    let mut key = [0; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt, passphrase.as_bytes(), &mut key);
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).map_err(|_| broken())?))
}

impl Key {
    /// Makes a person's key and seals it into their file. One that is there already stays.
    pub fn new(person: &str, passphrase: &str) -> Result<(Self, PathBuf), Problem> {
        let path = file(person)?;
        let shown = path.display().to_string();
        if path.exists() {
            let problem = Problem::error(format!("\"{person}\" has a key already.")).in_file(&shown, None);
            return Err(problem.help("Move the file away first; what was signed with it stays signed with it."));
        }
        if passphrase.chars().count() < SHORTEST {
            return Err(
                Problem::error(format!("The passphrase is shorter than {SHORTEST} letters.")).help("Take a sentence that you remember.")
            );
        }
        let random = SystemRandom::new();
        let document = Ed25519KeyPair::generate_pkcs8(&random).map_err(|_| broken())?;
        let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).map_err(|_| broken())?;
        let (mut salt, mut nonce) = ([0; 16], [0; 12]);
        random.fill(&mut salt).map_err(|_| broken())?;
        random.fill(&mut nonce).map_err(|_| broken())?;
        let mut secret = document.as_ref().to_vec();
        let sealing = sealing(passphrase, &salt, ROUNDS)?;
        sealing.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut secret).map_err(|_| broken())?;
        let sealed = Sealed {
            weir_key: FORMAT,
            person: person.to_owned(),
            public: hex::encode(pair.public_key().as_ref()),
            rounds: ROUNDS,
            salt: hex::encode(salt),
            nonce: hex::encode(nonce),
            secret: hex::encode(&secret),
        };
        let written = serde_json::to_string_pretty(&sealed).map_err(std::io::Error::from).and_then(|text| {
            std::fs::create_dir_all(path.parent().unwrap_or(&path))?;
            crate::run::write_durably(&path, &text)?;
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
            }
            Ok(())
        });
        written.map_err(|error| {
            Problem::error(format!("The key cannot be written: {error}.")).in_file(&shown, None).help("Check the folder's permissions.")
        })?;
        Ok((Self { pair }, path))
    }

    fn read(person: &str) -> Result<(Sealed, String), Problem> {
        let path = file(person)?;
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(&path).map_err(|_| {
            Problem::error(format!("\"{person}\" has no key on this machine.")).in_file(&shown, None).help("Make one: weir key new.")
        })?;
        let sealed: Sealed = serde_json::from_str(&text).map_err(|error| {
            Problem::error(format!("The key cannot be read: {error}.")).in_file(&shown, None).help("Restore it from a backup.")
        })?;
        if sealed.weir_key > FORMAT {
            return Err(Problem::error("The key was made by a newer Weir.").in_file(&shown, None).help("Update Weir."));
        }
        Ok((sealed, shown))
    }

    /// Opens a person's key.
    pub fn open(person: &str, passphrase: &str) -> Result<Self, Problem> {
        let (sealed, shown) = Self::read(person)?;
        let damaged = || Problem::error("The key file is damaged.").in_file(&shown, None).help("Restore it from a backup.");
        let (salt, nonce) = (hex::decode(&sealed.salt).map_err(|_| damaged())?, hex::decode(&sealed.nonce).map_err(|_| damaged())?);
        let mut secret = hex::decode(&sealed.secret).map_err(|_| damaged())?;
        let nonce = Nonce::try_assume_unique_for_key(&nonce).map_err(|_| damaged())?;
        let sealing = sealing(passphrase, &salt, sealed.rounds)?;
        let secret = sealing.open_in_place(nonce, Aad::empty(), &mut secret).map_err(|_| {
            Problem::error("The passphrase does not open the key.")
                .in_file(&shown, None)
                .help("Try again; a forgotten one cannot be recovered.")
        })?;
        let pair = Ed25519KeyPair::from_pkcs8(secret).map_err(|_| damaged())?;
        if hex::encode(pair.public_key().as_ref()) == sealed.public { Ok(Self { pair }) } else { Err(damaged()) }
    }

    /// The public half of a person's key, without opening it.
    pub fn public_of(person: &str) -> Result<String, Problem> {
        Ok(Self::read(person)?.0.public)
    }

    /// The public half, as `weir.toml` holds it.
    pub fn public(&self) -> String {
        hex::encode(self.pair.public_key().as_ref())
    }

    /// The signature of some bytes.
    pub(crate) fn sign(&self, bytes: &[u8]) -> String {
        hex::encode(self.pair.sign(bytes).as_ref())
    }
}

/// Whether a signature of some bytes was made with the secret half of a key.
pub(crate) fn is_signed(public: &str, bytes: &[u8], signature: &str) -> bool {
    let (Ok(public), Ok(signature)) = (hex::decode(public), hex::decode(signature)) else { return false };
    UnparsedPublicKey::new(&ED25519, public).verify(bytes, &signature).is_ok()
}
