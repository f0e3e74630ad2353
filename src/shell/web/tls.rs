//! The certificate with which the console is served: a given one, or one of our own that is made at the first start.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

/// Names of the files of our own certificate.
const OWN: [&str; 2] = ["console.crt", "console.key"];

/// Where the certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Made at the first start and kept in this folder. Browsers warn of it once.
    Own(PathBuf),
    /// Given by the office: PEM files of the chain and of the key.
    Given {
        /// The certificate first, then those that signed it.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
}

/// Why the console cannot be served by https.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds something else.
    #[error(
        "web.tls_certificate, web.tls_key: {path} cannot be used: {why}; give PEM files of a certificate and its key"
    )]
    Given {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Our own cannot be made or kept.
    #[error(
        "the console's own certificate cannot be kept in {folder}: {why}; give the engine's user the right, or set web.tls_certificate and web.tls_key"
    )]
    Own {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl Tls {
    /// Reads the certificate, or makes our own for the address at which the console is served.
    ///
    /// # Errors
    /// [`TlsError`], in words for an administrator.
    pub fn acceptor(&self, listen: SocketAddr) -> Result<TlsAcceptor, TlsError> {
        let (certificate, key) = match self {
            Tls::Given { certificate, key } => (certificate.clone(), key.clone()),
            Tls::Own(folder) => {
                let [certificate, key] = OWN.map(|name| folder.join(name));
                if !(certificate.is_file() && key.is_file()) {
                    make(listen, &certificate, &key).map_err(|why| TlsError::Own { folder: folder.clone(), why })?;
                }
                (certificate, key)
            }
        };
        let fault = |path: &Path, why: String| TlsError::Given { path: path.to_owned(), why };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&certificate)
            .and_then(Iterator::collect)
            .map_err(|cause| fault(&certificate, cause.to_string()))?;
        let private = PrivateKeyDer::from_pem_file(&key).map_err(|cause| fault(&key, cause.to_string()))?;
        let mut config = server(chain, private).map_err(|cause| fault(&certificate, cause.to_string()))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn server(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<ServerConfig, rustls::Error> {
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
}

/// Makes a certificate for the names and addresses of this machine. The key is for the engine's user alone.
fn make(listen: SocketAddr, certificate: &Path, key: &Path) -> Result<(), String> {
    let mut params = rcgen::CertificateParams::new(names(listen)).map_err(|cause| cause.to_string())?;
    params.distinguished_name.push(rcgen::DnType::CommonName, "Perezvon");
    // Whoever trusts it once is not asked again every year; a lost key is mended by removing the files.
    params.not_after = rcgen::date_time_ymd(2046, 1, 1);
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let pair = rcgen::KeyPair::generate().map_err(|cause| cause.to_string())?;
    let made = params.self_signed(&pair).map_err(|cause| cause.to_string())?;
    if let Some(folder) = certificate.parent() {
        std::fs::create_dir_all(folder).map_err(|cause| cause.to_string())?;
    }
    write(key, &pair.serialize_pem(), 0o600).map_err(|cause| cause.to_string())?;
    write(certificate, &made.pem(), 0o644).map_err(|cause| cause.to_string())
}

/// Whole or not at all.
fn write(path: &Path, text: &str, mode: u32) -> std::io::Result<()> {
    let temporary = path.with_extension("new");
    let _ = std::fs::remove_file(&temporary);
    let mut file = std::fs::File::options().write(true).create_new(true).mode(mode).open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)
}

/// What browsers may call this machine.
fn names(listen: SocketAddr) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)) {
        names.push(host);
    }
    if listen.ip().is_unspecified() {
        names.extend(towards_others().map(|address| address.to_string()));
    } else {
        names.push(listen.ip().to_string());
    }
    names.sort();
    names.dedup();
    names
}

/// The address by which this machine speaks to others. Nothing is sent: a UDP socket only chooses its way.
fn towards_others() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn listen() -> SocketAddr {
        "0.0.0.0:443".parse().unwrap()
    }

    #[test]
    fn our_own_certificate_is_made_once_and_its_key_is_for_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let own = Tls::Own(folder.path().join("deeper"));
        assert!(own.acceptor(listen()).is_ok());
        let files = OWN.map(|name| folder.path().join("deeper").join(name));
        let first = std::fs::read(&files[0]).unwrap();
        assert_eq!(std::fs::metadata(&files[1]).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(own.acceptor(listen()).is_ok());
        assert_eq!(std::fs::read(&files[0]).unwrap(), first);
        let given = Tls::Given { certificate: files[0].clone(), key: files[1].clone() };
        assert!(given.acceptor(listen()).is_ok());
    }

    #[test]
    fn a_wrong_certificate_is_told_by_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let own = Tls::Own(folder.path().to_owned());
        own.acceptor(listen()).unwrap();
        let [certificate, key] = OWN.map(|name| folder.path().join(name));
        let absent = Tls::Given { certificate: folder.path().join("absent.pem"), key: key.clone() };
        assert!(absent.acceptor(listen()).err().unwrap().to_string().contains("absent.pem"));
        let swapped = Tls::Given { certificate: key, key: certificate };
        assert!(swapped.acceptor(listen()).is_err());
        let nowhere = Tls::Own(PathBuf::from("/dev/null/x"));
        assert!(nowhere.acceptor(listen()).err().unwrap().to_string().contains("/dev/null/x"));
    }
}
