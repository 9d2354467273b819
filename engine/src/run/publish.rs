//! Publication: all of it or nothing.
//!
//! Before anything visible changes, the intent is written and made durable. Then ledger loads are committed and files
//! renamed into place, each step harmless to repeat. Whoever opens the project next completes an intent that a crash
//! left behind, so that outputs and ledger are never seen half old, half new by any command of Weir.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatchReader;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use serde::{Deserialize, Serialize};
use serde_json::json;
use weir_nodes::Problem;
use weir_nodes::database::{Database, Mode};
use weir_nodes::input::database::elsewhere;
use weir_nodes::kind::LedgerMode;

use super::certificate::{AuditPlace, CERTIFICATE, Certificate};
use crate::audit::{Audit, Event};
use crate::ledger::{Ledger, Load};
use crate::project::Project;

const INTENT: &str = "publish.json";

/// What a run is about to publish.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Intent {
    pub(crate) files: Vec<StagedFile>,
    pub(crate) loads: Vec<StagedLoad>,
    #[serde(default)]
    pub(crate) rows: Vec<StagedRows>,
    pub(crate) certificate: Certificate,
}

/// A file waiting in staging.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StagedFile {
    pub(crate) staged: PathBuf,
    pub(crate) target: PathBuf,
}

/// A load of a Delta table waiting in staging, as Parquet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StagedLoad {
    pub(crate) staged: PathBuf,
    /// The folder of a table outside the ledger.
    #[serde(default)]
    pub(crate) folder: Option<PathBuf>,
    pub(crate) table: String,
    pub(crate) mode: LedgerMode,
}

impl StagedLoad {
    /// A load of the table in a folder outside the ledger.
    pub(crate) fn elsewhere(staged: PathBuf, table: &Path, mode: LedgerMode) -> Self {
        let name = table.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Self { staged, folder: table.parent().map(Path::to_owned), table: name, mode }
    }

    fn ledger(&self, project: &Project) -> Result<Ledger, Problem> {
        match &self.folder {
            Some(folder) => Ok(Ledger::elsewhere(folder)),
            None => Ok(Ledger::of(project)?),
        }
    }

    fn of(&self, intent: &Intent) -> Load {
        Load { table: self.table.clone(), mode: self.mode.clone(), run: intent.certificate.run.clone(), rows: self.staged.clone() }
    }
}

/// Rows for a database waiting in staging, as Parquet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StagedRows {
    pub(crate) staged: PathBuf,
    pub(crate) connection: String,
    pub(crate) table: String,
    pub(crate) mode: Mode,
}

impl StagedRows {
    fn opened(&self, project: &Project) -> Result<(Database, ParquetRecordBatchReader), String> {
        let address = project.connection(&self.connection).map_err(|problem| problem.to_string())?;
        let file = File::open(&self.staged).map_err(|error| error.to_string())?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(ParquetRecordBatchReaderBuilder::build);
        Ok((Database::open(&address)?, reader.map_err(|error| error.to_string())?))
    }

    /// Whether the rows can be loaded; makes the table where it is missing.
    fn verify(&self, project: &Project) -> Result<(), Problem> {
        let prepared = elsewhere(|| {
            let (mut database, reader) = self.opened(project)?;
            database.prepare(&self.table, &reader.schema(), &self.mode)
        });
        prepared.map_err(|what| self.problem(&what))
    }

    /// Loads the rows; a run that has loaded them has nothing to do.
    fn load(&self, project: &Project, run: &str) -> Result<(), Problem> {
        let loaded = elsewhere(|| {
            let (mut database, reader) = self.opened(project)?;
            let schema = reader.schema();
            database.load(run, &self.table, &self.mode, &schema, reader.map(|batch| batch.map_err(|error| error.to_string())))
        });
        loaded.map_err(|what| self.problem(&what))
    }

    fn problem(&self, what: &str) -> Problem {
        Problem::error(format!("The rows cannot be loaded into \"{}\" of \"{}\": {what}.", self.table, self.connection))
            .help("Check the connection and the table. Nothing was loaded there.")
    }
}

/// Rows for a web service waiting in staging, an object on each line.
#[derive(Debug)]
pub(crate) struct StagedRequests {
    pub(crate) staged: PathBuf,
    pub(crate) connection: String,
    pub(crate) resource: String,
    pub(crate) batch: usize,
}

impl StagedRequests {
    fn send(&self, project: &Project, run: &str) -> Result<(), Problem> {
        let text = fs::read_to_string(&self.staged).map_err(|error| trouble(&error))?;
        let rows: Vec<&str> = text.lines().collect();
        let lists: Vec<String> = rows.chunks(self.batch.max(1)).map(|rows| format!("[{}]", rows.join(","))).collect();
        crate::http::send(project, &self.connection, &self.resource, run, &lists)
    }
}

/// Publishes what is staged in a run's folder. `requests` go first: what was sent cannot be taken back, so where a
/// service refuses, nothing else is published. The caller holds the project's lock.
pub(crate) async fn publish(
    project: &Project,
    folder: &Path,
    intent: &Intent,
    requests: &[StagedRequests],
) -> Result<Certificate, Problem> {
    // What can be refused is refused now: an intent is a promise.
    for load in &intent.loads {
        load.ledger(project)?.verify(&load.of(intent)).await?;
    }
    for rows in &intent.rows {
        rows.verify(project)?;
    }
    for file in &intent.files {
        let folder = file.target.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(|error| {
            Problem::error(format!("The folder for the result cannot be made: {error}."))
                .in_file(project.shown(folder), None)
                .help("Choose another folder, or check its permissions.")
        })?;
    }
    requests.iter().try_for_each(|requests| requests.send(project, &intent.certificate.run))?;
    write_durably(&folder.join(INTENT), &to_json(intent)?).map_err(|error| trouble(&error))?;
    // A database that went away in between takes the promise back while nothing else has changed.
    if let Some(problem) = intent.rows.first().and_then(|rows| rows.load(project, &intent.certificate.run).err()) {
        fs::remove_file(folder.join(INTENT)).map_err(|error| trouble(&error))?;
        return Err(problem);
    }
    apply(project, folder, intent).await
}

/// Completes what a crash left half published. The caller holds the project's lock.
pub(crate) async fn recover(project: &Project) -> Result<(), Problem> {
    let Ok(runs) = fs::read_dir(project.runs()) else { return Ok(()) };
    let mut folders: Vec<PathBuf> =
        runs.filter_map(|entry| Some(entry.ok()?.path())).filter(|folder| folder.join(INTENT).is_file()).collect();
    folders.sort();
    for folder in folders {
        let file = folder.join(INTENT);
        let text = fs::read_to_string(&file).map_err(|error| trouble(&error))?;
        let intent: Intent = serde_json::from_str(&text).map_err(|error| {
            Problem::error(format!("The publication left by a crash cannot be completed: {error}.")).in_file(project.shown(&file), None)
        })?;
        apply(project, &folder, &intent).await?;
    }
    Ok(())
}

/// Does what an intent says. Every step recognises that it was done before.
async fn apply(project: &Project, folder: &Path, intent: &Intent) -> Result<Certificate, Problem> {
    for load in &intent.loads {
        load.ledger(project)?.load(&load.of(intent)).await?;
    }
    for rows in &intent.rows {
        rows.load(project, &intent.certificate.run)?;
    }
    for file in &intent.files {
        // A staged file that is gone was renamed before the crash.
        if file.staged.exists() {
            place(&file.staged, &file.target).map_err(|error| {
                Problem::error(format!("The result cannot be put in place: {error}."))
                    .in_file(project.shown(&file.target), None)
                    .help("Close the file where it is open, check the folder's permissions, and run any weir command to finish.")
            })?;
        }
    }
    let mut certificate = intent.certificate.clone();
    certificate.audit = Some(record(project, Event::Load, &certificate)?);
    write_durably(&folder.join(CERTIFICATE), &to_json(&certificate)?).map_err(|error| trouble(&error))?;
    fs::remove_file(folder.join(INTENT)).map_err(|error| trouble(&error))?;
    Ok(certificate)
}

/// Writes the certificate of a run that published nothing.
pub(crate) fn write_blocked(project: &Project, folder: &Path, mut certificate: Certificate) -> Result<Certificate, Problem> {
    certificate.audit = Some(record(project, Event::Block, &certificate)?);
    write_durably(&folder.join(CERTIFICATE), &to_json(&certificate)?).map_err(|error| trouble(&error))?;
    Ok(certificate)
}

fn record(project: &Project, event: Event, certificate: &Certificate) -> Result<AuditPlace, Problem> {
    let audit = Audit::open(&project.audit());
    let broken = |error: crate::audit::AuditError| Problem::error(error.to_string());
    let entry = match audit.find(event, &certificate.run).map_err(broken)? {
        Some(entry) => entry,
        None => audit
            .append(
                event,
                &certificate.user,
                &certificate.run,
                json!({
                    "workflow": certificate.workflow.file,
                    "version": certificate.workflow.version,
                    "certificate": certificate.fingerprint(),
                    "load": certificate.load_fingerprint(),
                    "outputs": certificate.outputs,
                    "failed_controls": certificate.verdicts.iter().filter(|v| !v.holds).map(|v| format!("{}: {}", v.node, v.title)).collect::<Vec<_>>(),
                }),
            )
            .map_err(broken)?,
    };
    Ok(AuditPlace { entry: entry.seq, hash: entry.hash() })
}

fn to_json<T: Serialize>(value: &T) -> Result<String, Problem> {
    serde_json::to_string_pretty(value).map_err(|error| Problem::error(format!("The run cannot be recorded: {error}.")))
}

fn trouble(error: &io::Error) -> Problem {
    Problem::error(format!("The run cannot be recorded: {error}.")).help("Check the disk's space and the permissions of .weir.")
}

/// Puts a finished file in place of another in one step. Across file systems it is copied beside its target first.
fn place(staged: &Path, target: &Path) -> io::Result<()> {
    let folder = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    match fs::rename(staged, target) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let near = tempfile::NamedTempFile::new_in(folder)?;
            fs::copy(staged, near.path())?;
            near.as_file().sync_all()?;
            near.persist(target).map_err(|error| error.error)?;
            fs::remove_file(staged)?;
        }
        other => other?,
    }
    sync_folder(folder)
}

/// Replaces a file in one step that survives a power cut.
pub(crate) fn write_durably(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut near = tempfile::NamedTempFile::new_in(folder)?;
    near.write_all(text.as_bytes())?;
    near.write_all(b"\n")?;
    near.as_file().sync_all()?;
    near.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
