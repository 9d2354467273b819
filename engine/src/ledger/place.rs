//! Where a ledger lies: a folder, or a bucket of S3-compatible storage.
//!
//! A commit to a bucket is one object that is written only if it is not there yet, which such storage guarantees.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};

use deltalake::logstore::{
    LogStore, LogStoreFactory, ObjectStoreFactory, ObjectStoreRef, StorageConfig, default_logstore, logstore_factories,
    object_store_factories,
};
use deltalake::{DeltaResult, DeltaTableError, Path as ObjectPath};
use object_store_opendal::OpendalStore;
use opendal::{Operator, services::S3};
use serde::{Deserialize, Serialize};
use url::Url;

/// A bucket, and how to reach it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketConfig {
    /// `s3://bucket/folder`.
    pub url: String,
    /// The address of the service, where it is not Amazon's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// Where tables lie.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Folder(PathBuf),
    Bucket(Box<Bucket>),
}

/// A bucket that can be reached.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    url: Url,
    options: HashMap<String, String>,
    operator: Operator,
}

fn scheme() -> Option<Url> {
    Url::parse("s3://").ok()
}

/// Reaches a bucket with the settings of its options; keys come from the environment (`AWS_ACCESS_KEY_ID` and so on).
fn operator(url: &Url, root: &str, options: &HashMap<String, String>) -> Result<Operator, String> {
    let mut service = S3::default().bucket(url.host_str().unwrap_or_default()).root(root);
    service = service.region(options.get("region").map_or("us-east-1", String::as_str));
    if let Some(endpoint) = options.get("endpoint") {
        service = service.endpoint(endpoint);
    }
    Operator::new(service).map_err(|error| error.to_string())
}

/// Makes buckets known to the layer below.
#[derive(Debug)]
struct Buckets;

impl ObjectStoreFactory for Buckets {
    fn parse_url_opts(&self, url: &Url, config: &StorageConfig) -> DeltaResult<(ObjectStoreRef, ObjectPath)> {
        let operator = operator(url, "/", &config.raw).map_err(DeltaTableError::generic)?;
        let prefix = ObjectPath::from_url_path(url.path()).map_err(|error| DeltaTableError::generic(error.to_string()))?;
        Ok((Arc::new(OpendalStore::new(operator)), prefix))
    }
}

impl LogStoreFactory for Buckets {
    fn with_options(
        &self,
        prefixed: ObjectStoreRef,
        root: ObjectStoreRef,
        location: &Url,
        options: &StorageConfig,
    ) -> DeltaResult<Arc<dyn LogStore>> {
        Ok(default_logstore(prefixed, root, location, options))
    }
}

fn known() {
    static KNOWN: Once = Once::new();
    KNOWN.call_once(|| {
        opendal::install_default();
        if let Some(scheme) = scheme() {
            object_store_factories().insert(scheme.clone(), Arc::new(Buckets));
            logstore_factories().insert(scheme, Arc::new(Buckets));
        }
    });
}

impl Place {
    /// A bucket. The error is a sentence without its period.
    pub(super) fn bucket(config: &BucketConfig) -> Result<Self, String> {
        known();
        let url = Url::parse(&format!("{}/", config.url.trim_end_matches('/')))
            .map_err(|error| format!("\"{}\" is no address: {error}", config.url))?;
        if url.scheme() != "s3" || url.host_str().is_none() {
            return Err(format!("\"{}\" is no bucket: write s3://bucket/folder", config.url));
        }
        let set = [("endpoint", &config.endpoint), ("region", &config.region)];
        let options: HashMap<String, String> =
            set.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))).collect();
        let operator = operator(&url, url.path(), &options)?;
        Ok(Self::Bucket(Box::new(Bucket { url, options, operator })))
    }

    /// The folder of a table, where it has one.
    pub(super) fn folder(&self, table: &str) -> Option<PathBuf> {
        match self {
            Self::Folder(folder) => Some(folder.join(table)),
            Self::Bucket(_) => None,
        }
    }

    /// The address of a table.
    pub(super) fn url(&self, table: &str) -> Option<Url> {
        match self {
            Self::Folder(folder) => Url::from_directory_path(folder.join(table)).ok(),
            Self::Bucket(bucket) => bucket.url.join(&format!("{table}/")).ok(),
        }
    }

    /// What the layer below must know to reach it.
    pub(super) fn options(&self) -> HashMap<String, String> {
        match self {
            Self::Folder(_) => HashMap::new(),
            Self::Bucket(bucket) => bucket.options.clone(),
        }
    }

    /// A commit of a table as text; none where there is none.
    pub(super) async fn commit(&self, table: &str, version: u64) -> Result<Option<String>, String> {
        let name = format!("{table}/_delta_log/{version:020}.json");
        match self {
            Self::Folder(folder) => match std::fs::read_to_string(folder.join(name)) {
                Ok(text) => Ok(Some(text)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error.to_string()),
            },
            Self::Bucket(bucket) => match bucket.operator.read(&name).await {
                Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes.to_vec()).into_owned())),
                Err(error) if error.kind() == opendal::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error.to_string()),
            },
        }
    }

    /// Whether there is such a table.
    pub(super) async fn exists(&self, table: &str) -> Result<bool, String> {
        match self {
            Self::Folder(folder) => Ok(folder.join(table).join("_delta_log").join(format!("{:020}.json", 0)).is_file()),
            Self::Bucket(_) => Ok(self.commit(table, 0).await?.is_some()),
        }
    }

    /// The names of what may be tables.
    pub(super) async fn names(&self) -> Result<Vec<String>, String> {
        let mut names: Vec<String> = match self {
            Self::Folder(folder) => {
                let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
                entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
            }
            Self::Bucket(bucket) => {
                let entries = bucket.operator.list("/").await.map_err(|error| error.to_string())?;
                entries
                    .iter()
                    .filter_map(|entry| entry.name().strip_suffix('/').map(str::to_owned))
                    .filter(|name| !name.is_empty())
                    .collect()
            }
        };
        names.sort();
        Ok(names)
    }
}

/// The file that stands for a commit of a bucket: its text, kept where the project keeps what it can make again.
pub(super) fn kept(cache: &Path, table: &str, version: u64, text: &str) -> std::io::Result<PathBuf> {
    let file = cache.join(format!("{table}-{version}.json"));
    std::fs::create_dir_all(cache)?;
    if std::fs::read_to_string(&file).ok().as_deref() != Some(text) {
        std::fs::write(&file, text)?;
    }
    Ok(file)
}
