//! Encrypted connections to databases, by the words that PostgreSQL's clients use: `sslmode` and `sslrootcert` in the
//! connection's URL. MySQL's own words, `ssl-mode` and `ssl-ca`, mean the same.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// How a connection is encrypted, each mode asking for more than the one before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    /// Not at all.
    Disable,
    /// Where the server can.
    #[default]
    Prefer,
    /// Always; the server's certificate is looked at only where a root is named.
    Require,
    /// Always, to a server with a certificate of a known root.
    VerifyCa,
    /// The same, and the certificate names the server.
    VerifyFull,
}

/// What a connection's URL says of encryption.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tls {
    pub(super) mode: Mode,
    /// The file with the roots' certificates; the system's unless given.
    pub(super) roots: Option<PathBuf>,
}

/// Takes what a connection's URL says of encryption out of it.
///
/// # Errors
/// A mode that is none.
pub(super) fn of(url: &str) -> Result<(String, Tls), String> {
    let mut tls = Tls::default();
    let Some((address, query)) = url.split_once('?') else { return Ok((url.to_owned(), tls)) };
    let mut others = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode" | "ssl-mode", mode)) => tls.mode = named(mode)?,
            Some(("sslrootcert" | "ssl-ca", path)) => tls.roots = Some(path.replace("%2F", "/").replace("%20", " ").into()),
            _ => others.push(pair),
        }
    }
    let rest = if others.is_empty() { String::new() } else { format!("?{}", others.join("&")) };
    Ok((format!("{address}{rest}"), tls))
}

fn named(mode: &str) -> Result<Mode, String> {
    Ok(match mode.to_lowercase().replace('_', "-").as_str() {
        "disable" | "disabled" => Mode::Disable,
        "allow" | "prefer" | "preferred" => Mode::Prefer,
        "require" | "required" => Mode::Require,
        "verify-ca" => Mode::VerifyCa,
        "verify-full" | "verify-identity" => Mode::VerifyFull,
        _ => return Err(format!("\"{mode}\" is no sslmode: it is disable, prefer, require, verify-ca or verify-full")),
    })
}

impl Tls {
    /// Whether the server's certificate must be of a known root.
    pub(super) fn verifies(&self) -> bool {
        self.mode >= Mode::VerifyCa || self.mode == Mode::Require && self.roots.is_some()
    }

    /// What a client of such connections needs.
    ///
    /// # Errors
    /// When the roots cannot be read.
    pub(super) fn client(&self) -> Result<ClientConfig, String> {
        let provider = provider();
        let known = if self.verifies() {
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(self.store()?), Arc::clone(&provider));
            Some(verifier.build().map_err(|error| error.to_string())?)
        } else {
            None
        };
        let verifier = Verifier { known, by_name: self.mode == Mode::VerifyFull, provider: Arc::clone(&provider) };
        let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let client = client.map_err(|error| error.to_string())?.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        Ok(client.with_no_client_auth())
    }

    /// The roots that are trusted.
    fn store(&self) -> Result<RootCertStore, String> {
        let mut store = RootCertStore::empty();
        let certificates = match &self.roots {
            Some(path) => pem(path)?,
            None => rustls_native_certs::load_native_certs().certs,
        };
        let (added, _) = store.add_parsable_certificates(certificates);
        if added == 0 {
            return Err("there is no root certificate to verify the server with: name one with sslrootcert=FILE".into());
        }
        Ok(store)
    }
}

fn pem(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    read.map_err(|error| format!("the root certificates in {} cannot be read: {error}", path.display()))
}

/// The one implementation of TLS's mathematics, also for libraries that ask the process for theirs.
pub(super) fn provider() -> Arc<CryptoProvider> {
    if CryptoProvider::get_default().is_none() {
        // Somebody may have been faster, with the same.
        let _ = aws_lc_rs::default_provider().install_default();
    }
    CryptoProvider::get_default().map_or_else(|| Arc::new(aws_lc_rs::default_provider()), Arc::clone)
}

/// Looks at a server's certificate as far as the mode asks for it. Its signatures are always verified.
#[derive(Debug)]
struct Verifier {
    /// None where any certificate will do.
    known: Option<Arc<WebPkiServerVerifier>>,
    /// Whether the certificate must name the server.
    by_name: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(known) = &self.known else { return Ok(ServerCertVerified::assertion()) };
        match known.verify_server_cert(end, between, name, ocsp, now) {
            Err(Error::InvalidCertificate(CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }))
                if !self.by_name =>
            {
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_both_databases_are_taken_out() {
        let (url, tls) = of("postgres://me@db:5432/sales?sslmode=verify-full&connect_timeout=5&sslrootcert=%2Fetc%2Fca.pem").unwrap();
        assert_eq!(url, "postgres://me@db:5432/sales?connect_timeout=5");
        assert_eq!(tls, Tls { mode: Mode::VerifyFull, roots: Some("/etc/ca.pem".into()) });
        let (url, tls) = of("mysql://me@db/sales?ssl-mode=VERIFY_IDENTITY").unwrap();
        assert_eq!((url.as_str(), tls.mode), ("mysql://me@db/sales", Mode::VerifyFull));
        assert_eq!(of("mysql://me@db/sales").unwrap().1.mode, Mode::Prefer);
        assert!(of("postgres://db/x?sslmode=full").unwrap_err().contains("verify-full"));
    }
}
