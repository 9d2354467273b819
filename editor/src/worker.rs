//! The only door to the engine. Questions go in, answers come back while frames go on; a new question about the same
//! thing cancels the one before. The frame never waits.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use tokio::runtime::Runtime;
use tokio::task::AbortHandle;
use weir_engine::Problem;
use weir_engine::check::{Checked, check};
use weir_engine::effect::Effect;
use weir_engine::history::Saved;
use weir_engine::plan::Limits;
use weir_engine::preview::{Grid, Previews, Values, View};
use weir_engine::project::Project;
use weir_engine::run::{Certificate, Options, Progress, Request, RunError, run};
use weir_engine::trace::Trace;
use weir_engine::workflow::{Version, Workflow};
use weir_nodes::formula::Mistake;

use crate::gallery::{Binding, News};
use crate::versions::Versions;

/// A tab, for as long as it is open.
pub type TabId = u64;

/// A port: the step and the port's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port {
    /// The step.
    pub node: String,
    /// The output port.
    pub port: String,
}

/// What checking found out.
#[derive(Debug)]
pub struct Facts {
    /// The revision of the document that was looked at.
    pub revision: u64,
    /// Everything wrong and every plan.
    pub checked: Arc<Checked>,
    /// The columns that leave each port.
    pub columns: BTreeMap<Port, Schema>,
    /// The identity of its meaning.
    pub version: Option<Version>,
    /// Inputs of its package that read their examples: no file is bound to them.
    pub unbound: Vec<String>,
}

/// An answer.
#[derive(Debug)]
pub enum Told {
    /// A workflow was looked at.
    Checked(TabId, Arc<Facts>),
    /// Rows of a port, growing or complete.
    Shown(TabId, Port, Arc<Grid>),
    /// The rows of a port cannot be shown.
    NotShown(TabId, Port, Problem),
    /// The rows of a grid, filtered or sorted.
    Viewed(TabId, Port, View, Result<Arc<Grid>, Vec<Problem>>),
    /// Some rows of a grid.
    Rows(Arc<Grid>, u64, Result<RecordBatch, Problem>),
    /// What a formula gives for the first rows: the field it stands in, its text, values as text.
    Evaluated(String, String, Result<Vec<Option<String>>, Vec<Mistake>>),
    /// The different values that arrive and those that a step lets through unmapped.
    Covered(TabId, String, Result<Coverage, Problem>),
    /// A step of a run is done.
    Progress(TabId, Progress),
    /// A run ended.
    Ran(TabId, Result<Box<Certificate>, RunError>),
    /// The versions of a workflow.
    Versions(TabId, Result<Box<Versions>, Problem>),
    /// Something was done about versions.
    Acted(TabId, Result<String, Problem>),
    /// An earlier version was read.
    Compared(TabId, Box<Saved>, Result<Arc<Workflow>, Problem>),
    /// What a version changes in the figures.
    Effect(TabId, Result<Effect, Problem>),
    /// A figure was followed back.
    Traced(TabId, Result<Box<Trace>, Problem>),
    /// Something about packages.
    Gallery(Box<News>),
    /// Files the person chose in a dialog.
    Chosen(Purpose, Option<PathBuf>),
}

/// What a chosen file is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// Open it.
    Open,
    /// Save the workflow there.
    Save(TabId),
    /// Write the drawing there.
    Export(TabId),
    /// Install a package there.
    Install,
    /// Bind it to an input.
    Bind,
    /// A parameter of a step.
    Param {
        /// The workflow.
        tab: TabId,
        /// The step.
        node: String,
        /// The path of the field.
        field: String,
        /// Whether a folder is chosen.
        is_folder: bool,
    },
}

/// How far a table of values covers what arrives.
#[derive(Debug, Clone)]
pub struct Coverage {
    /// The different values that arrive.
    pub arriving: Values,
    /// Those that no line fits; `None` where the step cannot be computed yet.
    pub unmapped: Option<Values>,
}

/// The engine's side.
pub struct Worker {
    runtime: Runtime,
    previews: Arc<Previews>,
    pub(crate) tell: Teller,
    told: Receiver<Told>,
    going: Mutex<HashMap<String, AbortHandle>>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}

#[derive(Clone)]
pub(crate) struct Teller {
    sender: Sender<Told>,
    ctx: egui::Context,
}

impl Teller {
    pub(crate) fn tell(&self, told: Told) {
        // Nobody listens any more when the window is gone.
        let _ = self.sender.send(told);
        self.ctx.request_repaint();
    }
}

impl Worker {
    /// Starts it; `ctx` is woken when there is an answer.
    pub fn new(ctx: &egui::Context) -> Result<Self, Problem> {
        let trouble = |error: std::io::Error| Problem::error(format!("The engine cannot start: {error}."));
        let runtime = weir_engine::plan::runtime(2).map_err(trouble)?;
        let limits = Limits::default();
        // Half of what a run may use: the editor shares the machine.
        let previews = Arc::new(Previews::new(Limits { memory_bytes: limits.memory_bytes / 2, ..limits })?);
        let (sender, told) = channel();
        Ok(Self { runtime, previews, tell: Teller { sender, ctx: ctx.clone() }, told, going: Mutex::default() })
    }

    /// The answers that came since the last call.
    pub fn answers(&self) -> Vec<Told> {
        self.told.try_iter().collect()
    }

    pub(crate) fn start(&self, slot: String, work: impl Future<Output = ()> + Send + 'static) {
        let handle = self.runtime.spawn(work).abort_handle();
        if let Ok(mut going) = self.going.lock() {
            going.retain(|_, handle| !handle.is_finished());
            if let Some(before) = going.insert(slot, handle) {
                before.abort();
            }
        }
    }

    /// Whether something is being computed.
    pub fn is_busy(&self) -> bool {
        self.going.lock().is_ok_and(|going| going.values().any(|handle| !handle.is_finished()))
    }

    /// Stops what is being computed for a slot.
    fn stop(&self, slot: &str) -> bool {
        let handle = self.going.lock().ok().and_then(|mut going| going.remove(slot));
        handle.is_some_and(|handle| {
            let running = !handle.is_finished();
            handle.abort();
            running
        })
    }

    /// Looks at a workflow.
    pub fn check(&self, tab: TabId, revision: u64, workflow: Arc<Workflow>, project: Project, set: Vec<(String, String)>) {
        let tell = self.tell.clone();
        self.start(format!("check {tab}"), async move {
            let looked = tokio::task::spawn_blocking(move || {
                let checked = Arc::new(check(&workflow, &project, &set));
                let mut columns = BTreeMap::new();
                for (node, step) in &checked.steps {
                    for port in &step.ports.outputs {
                        if let Some(schema) = step.schema(port.name) {
                            columns.insert(Port { node: node.clone(), port: port.name.to_owned() }, schema);
                        }
                    }
                }
                Facts { revision, checked, columns, version: Some(workflow.version()), unbound: Binding::unbound(&project) }
            });
            if let Ok(facts) = looked.await {
                tell.tell(Told::Checked(tab, Arc::new(facts)));
            }
        });
    }

    /// Computes the rows of a port: a sample first where there is much to read.
    pub fn show(&self, tab: TabId, port: Port, checked: Arc<Checked>, slot: &str) {
        let (tell, previews) = (self.tell.clone(), Arc::clone(&self.previews));
        self.start(format!("show {tab} {slot}"), async move {
            let reference = format!("{}.{}", port.node, port.port);
            if previews.is_large(&checked, &reference)
                && let Ok(grid) = previews.sample(&checked, &reference).await
            {
                tell.tell(Told::Shown(tab, port.clone(), grid));
            }
            let growing = {
                let (tell, port) = (tell.clone(), port.clone());
                let large = previews.is_large(&checked, &reference);
                // Where a sample is shown it stays until the exact rows are all there.
                move |grid: Arc<Grid>| {
                    if !large {
                        tell.tell(Told::Shown(tab, port, grid));
                    }
                }
            };
            match previews.exact(&checked, &reference, growing).await {
                Ok(grid) => tell.tell(Told::Shown(tab, port, grid)),
                Err(problem) => tell.tell(Told::NotShown(tab, port, problem)),
            }
        });
    }

    /// Filters and sorts the rows of a grid.
    pub fn view(&self, tab: TabId, port: Port, grid: Arc<Grid>, view: View, checked: Arc<Checked>) {
        let (tell, previews) = (self.tell.clone(), Arc::clone(&self.previews));
        self.start(format!("view {tab} {port:?}"), async move {
            let result = previews.view(&grid, &view, &checked.parameters).await;
            tell.tell(Told::Viewed(tab, port, view, result));
        });
    }

    /// Reads rows of a grid.
    pub fn rows(&self, grid: &Arc<Grid>, start: u64, rows: usize) {
        let (tell, grid) = (self.tell.clone(), Arc::clone(grid));
        self.runtime.spawn_blocking(move || {
            let result = grid.page(start, rows);
            tell.tell(Told::Rows(grid, start, result));
        });
    }

    /// What a formula gives for the first rows that arrive on a step's port.
    pub fn evaluate(&self, field: String, formula: String, checked: Arc<Checked>, from: Port) {
        let (tell, previews) = (self.tell.clone(), Arc::clone(&self.previews));
        self.start(format!("evaluate {field}"), async move {
            // While a person types, only the last text counts.
            tokio::time::sleep(Duration::from_millis(60)).await;
            let reference = format!("{}.{}", from.node, from.port);
            let grid = match previews.sample(&checked, &reference).await {
                Ok(grid) => grid,
                Err(problem) => {
                    let mistake = Mistake { span: 0..0, message: problem.message, help: problem.help };
                    return tell.tell(Told::Evaluated(field, formula, Err(vec![mistake])));
                }
            };
            let result = previews.evaluate(&grid, &formula, 6, &checked.parameters).await;
            tell.tell(Told::Evaluated(field, formula, result.map(|(_, values)| values)));
        });
    }

    /// How far a step's table covers the values of some columns; `left_over` is the port of values it does not.
    pub fn cover(&self, tab: TabId, node: String, left_over: String, from: Port, columns: Vec<String>, checked: Arc<Checked>) {
        let (tell, previews) = (self.tell.clone(), Arc::clone(&self.previews));
        self.start(format!("cover {tab} {node}"), async move {
            let find = async {
                let grid = previews.exact(&checked, &format!("{}.{}", from.node, from.port), |_| ()).await?;
                let arriving = previews.values(&grid, &columns, 5000).await?;
                let port = format!("{node}.{left_over}");
                let unmapped = match previews.exact(&checked, &port, |_| ()).await {
                    Ok(grid) => Some(previews.values(&grid, &columns, 5000).await?),
                    Err(_) => None,
                };
                Ok(Coverage { arriving, unmapped })
            };
            let result = find.await;
            tell.tell(Told::Covered(tab, node, result));
        });
    }

    /// Runs a workflow.
    pub fn run(&self, tab: TabId, workflow: Arc<Workflow>, file: PathBuf, project: Project, set: Vec<(String, String)>, options: Options) {
        let tell = self.tell.clone();
        self.start(format!("run {tab}"), async move {
            let progress = {
                let tell = Mutex::new(tell.clone());
                move |progress: Progress| {
                    if let Ok(tell) = tell.lock() {
                        tell.tell(Told::Progress(tab, progress));
                    }
                }
            };
            let request = Request { workflow: &workflow, file: &file, project: &project, set: &set, limits: Limits::default(), options };
            let result = run(&request, &progress).await.map(Box::new);
            tell.tell(Told::Ran(tab, result));
        });
    }

    /// Cancels a run. What it staged is removed; nothing was published.
    pub fn cancel_run(&self, tab: TabId) -> bool {
        self.stop(&format!("run {tab}"))
    }

    /// Stops showing.
    pub fn cancel_show(&self, tab: TabId) {
        for slot in ["main", "compare"] {
            self.stop(&format!("show {tab} {slot}"));
        }
    }

    /// Asks the person for a file.
    pub fn choose(&self, purpose: Purpose, folder: Option<PathBuf>, name: Option<String>) {
        let tell = self.tell.clone();
        std::thread::spawn(move || {
            let mut dialog = rfd::FileDialog::new();
            if let Some(folder) = folder {
                dialog = dialog.set_directory(folder);
            }
            if let Some(name) = name {
                dialog = dialog.set_file_name(name);
            }
            let chosen = match &purpose {
                Purpose::Open => dialog.add_filter("Weir", &["json"]).pick_file(),
                Purpose::Install | Purpose::Param { is_folder: true, .. } => dialog.pick_folder(),
                Purpose::Bind | Purpose::Param { .. } => dialog.pick_file(),
                Purpose::Save(_) => dialog.add_filter("Weir", &["json"]).save_file(),
                Purpose::Export(_) => dialog.add_filter("SVG", &["svg"]).save_file(),
            };
            tell.tell(Told::Chosen(purpose, chosen));
        });
    }
}
