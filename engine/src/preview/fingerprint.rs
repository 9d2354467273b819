//! What a step's rows depend on, as one hash: the same fingerprint means the same rows.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use crate::check::{Checked, CheckedStep};

/// Blake3 of kind, version, parameters, the fingerprints of the inputs, and the identity of the files read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

/// The fingerprint of every step that could be planned.
pub(crate) fn fingerprints(checked: &Checked) -> BTreeMap<String, Fingerprint> {
    let mut known = BTreeMap::new();
    for id in &checked.order {
        let fingerprint = fingerprint(checked, &checked.steps[id], &known);
        known.insert(id.clone(), fingerprint);
    }
    known
}

fn fingerprint(checked: &Checked, step: &CheckedStep, known: &BTreeMap<String, Fingerprint>) -> Fingerprint {
    let mut hash = blake3::Hasher::new();
    // A length before each part keeps two different lists of parts from running together into the same bytes.
    let mut part = |bytes: &[u8]| {
        hash.update(&(bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    part(step.kind.identity.id.as_bytes());
    part(&step.kind.identity.version.to_le_bytes());
    part(step.params.to_string().as_bytes());
    for (name, value) in &checked.parameters {
        part(name.as_bytes());
        part(value.to_string().as_bytes());
    }
    for (port, wires) in &step.wires {
        part(port.as_bytes());
        for wire in wires {
            if let Some(Fingerprint(bytes)) = known.get(&wire.node) {
                part(bytes);
            }
            part(&[wire.flow as u8, wire.outlet as u8]);
        }
    }
    for source in &step.sources {
        part(source.as_os_str().as_encoded_bytes());
        let identity = std::fs::metadata(source).ok().map(|metadata| {
            let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            (metadata.len(), changed.map_or(0, |time| time.as_nanos()))
        });
        part(format!("{identity:?}").as_bytes());
    }
    Fingerprint(*hash.finalize().as_bytes())
}
