//! The state that every panel shares: open workflows, what is shown of them, and what was asked for.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use weir_engine::Problem;
use weir_engine::history::Saved;
use weir_engine::package::registry::Found;
use weir_engine::preview::{Grid, View};
use weir_engine::project::Project;
use weir_engine::run::{Certificate, RunError};
use weir_engine::workflow::{Edge, Edit, Node, PortRef, Workflow};
use weir_nodes::formula::Mistake;
use weir_nodes::kind::Ports;
use weir_nodes::registry::{self, Kind};

use crate::canvas::View as CanvasView;
use crate::command::Command;
use crate::document::{Document, Label};
use crate::gallery::{Binding, Detail, Gallery};
use crate::selection::Selection;
use crate::settings::Settings;
use crate::text;
use crate::versions::{Act, Comparison, Origin, Versions};
use crate::worker::{Coverage, Facts, Port, TabId, Worker};

/// Something a panel asks for. Panels read the desk; what they ask for is done after they are drawn.
#[derive(Debug, Clone)]
pub enum Ask {
    /// Do a command.
    Do(Command),
    /// Change the document: a label, or the one the edits have.
    Change(Option<Label>, Vec<Edit>),
    /// Change a value as a person types.
    Type(String, Vec<Edit>),
    /// Select a step, perhaps with a field.
    Go(String, Option<String>),
    /// Show the rows of a port.
    ShowPort(Port),
    /// Add a step of a kind at a place, perhaps connected from a port or to a port.
    AddStep(&'static str, Option<[f64; 2]>, Attach),
    /// Add the step that reads a file.
    AddFile(PathBuf, Option<[f64; 2]>),
    /// Open a workflow.
    OpenPath(PathBuf),
    /// Show another tab.
    Tab(usize),
    /// Add a step of a kind with these parameters.
    AddSet(&'static str, serde_json::Value, Attach),
    /// Filter and sort the rows on the screen as their view says.
    View,
    /// Close a tab although it is not saved, or all of them to quit.
    Discard(Option<usize>),
    /// Save a tab and close it, or all of them to quit.
    SaveAndClose(Option<usize>),
    /// List the versions of the workflow.
    Versions,
    /// Do something about versions.
    Version(Act),
    /// Lay a version over the canvas.
    Compare(Box<Saved>),
    /// Stop that.
    StopComparing,
    /// Compute what the version on the canvas changes in the figures.
    Effect,
    /// Follow a figure back: the port, the condition its row fits, the column and the figure as it is shown.
    Origin(Port, String, String, String),
    /// Stop showing where a figure comes from.
    StopTracing,
    /// Search packages as the gallery says.
    Gallery,
    /// Look at a package.
    Package(Box<Found>),
    /// Try a package on its sample.
    Sample(Arc<Detail>),
    /// Choose the folder to install in.
    InstallFolder,
    /// Install a package.
    Install(Arc<Detail>),
    /// Suggest how the file of the guided page is bound.
    Suggest,
    /// Choose the file to bind.
    BindFile,
    /// Bind it as suggested.
    Bind,
    /// Take the binding back.
    Unbind,
    /// Say something for a moment.
    Say(String, bool),
}

/// What a new step is connected to.
#[derive(Debug, Clone, PartialEq)]
pub enum Attach {
    /// The selected step, if it has a free output; else nothing.
    Selected,
    /// Nothing.
    Nothing,
    /// An output port.
    From(PortRef),
    /// An input port.
    To(PortRef),
    /// It is put into a wire.
    Into(usize),
}

/// The rows of one port on the screen.
#[derive(Debug, Default)]
pub struct Shown {
    /// The rows themselves.
    pub grid: Option<Arc<Grid>>,
    /// Whether newer rows are on their way.
    pub fading: bool,
    /// Why there are none.
    pub problem: Option<Problem>,
    /// How they are filtered and sorted for the eye.
    pub view: View,
    /// The filter as it is typed.
    pub filter: String,
    /// The rows as filtered and sorted.
    pub viewed: Option<Arc<Grid>>,
    /// What is wrong with the filter.
    pub view_problems: Vec<Problem>,
    /// Pages that were read, by their first row.
    pub pages: BTreeMap<u64, RecordBatch>,
    /// Pages that were asked for.
    pub asked: BTreeSet<u64>,
    /// The cells that are selected: from row and column to row and column.
    pub cells: Option<([u64; 2], [u64; 2])>,
}

impl Shown {
    /// The grid on the screen.
    pub fn visible(&self) -> Option<&Arc<Grid>> {
        match self.view.is_plain() {
            true => self.grid.as_ref(),
            false => self.viewed.as_ref().or(self.grid.as_ref()),
        }
    }

    /// Forgets the pages: another grid is on the screen.
    pub fn turn(&mut self) {
        self.pages.clear();
        self.asked.clear();
    }
}

/// How the last run went.
#[derive(Debug, Default)]
pub struct Running {
    /// When it started, while it goes on.
    pub since: Option<Instant>,
    /// Steps that are done.
    pub done: BTreeSet<String>,
    /// Its proof.
    pub certificate: Option<Box<Certificate>>,
    /// Why it came to no verdict.
    pub error: Option<RunError>,
    /// Whether the banner is shown.
    pub banner: bool,
}

/// A formula's first results.
#[derive(Debug, Clone)]
pub struct Evaluated {
    /// The text it is about.
    pub formula: String,
    /// Values, or mistakes.
    pub result: Result<Vec<Option<String>>, Vec<Mistake>>,
}

/// An open workflow and everything that is shown of it.
#[derive(Debug)]
pub struct Tab {
    /// Its number.
    pub id: TabId,
    /// The workflow.
    pub document: Document,
    /// The project it belongs to.
    pub project: Option<Project>,
    /// What is selected.
    pub selection: Selection,
    /// How the canvas is looked at.
    pub canvas: CanvasView,
    /// What checking found, perhaps of an older revision.
    pub facts: Option<Arc<Facts>>,
    /// The revision that was sent to be looked at.
    pub sent: u64,
    /// Rows that left each port, where they are known.
    pub counts: BTreeMap<Port, u64>,
    /// Steps whose rows were computed for the present revision.
    pub fresh: BTreeSet<String>,
    /// The rows below.
    pub main: Shown,
    /// The port whose rows are below.
    pub showing: Option<Port>,
    /// The port to compare with.
    pub compare: Option<(Port, Shown)>,
    /// Values given to the workflow's parameters.
    pub set: BTreeMap<String, String>,
    /// How the last run went.
    pub run: Running,
    /// Certificates on disk, newest first.
    pub runs: Vec<Certificate>,
    /// Coverage of the selected step's table.
    pub coverage: Option<(String, Result<Coverage, Problem>)>,
    /// The coverage that was asked for: what it depends on.
    pub coverage_asked: Option<String>,
    /// First results of formulas, by field.
    pub evaluated: HashMap<String, Evaluated>,
    /// Formulas that were sent, by field.
    pub evaluating: HashMap<String, String>,
    /// Autosaved revision.
    pub autosaved: u64,
    /// Whether the rows on the screen must be asked for again.
    pub showing_stale: bool,
    /// The same for the rows beside them.
    pub compare_stale: bool,
    /// The versions of the file; none while they were not read.
    pub versions: Option<Result<Box<Versions>, Problem>>,
    /// Whether they were asked for.
    pub versions_asked: bool,
    /// Why the next version is saved, as it is typed.
    pub reason: String,
    /// Why something is proposed or decided, and the passphrase, as they are typed.
    pub decision: (String, String),
    /// The version that lies over the canvas.
    pub comparison: Option<Comparison>,
    /// The figure that is followed back.
    pub origin: Option<Origin>,
    /// Whether the person knows that the workflow reads sample data.
    pub sample_seen: bool,
}

impl Tab {
    /// A tab of a document.
    pub fn new(id: TabId, document: Document) -> Self {
        let project = document.path().and_then(|path| Project::of(path).ok());
        let mut tab = Self {
            id,
            autosaved: document.revision(),
            document,
            project,
            selection: Selection::default(),
            canvas: CanvasView::default(),
            facts: None,
            sent: 0,
            counts: BTreeMap::new(),
            fresh: BTreeSet::new(),
            main: Shown::default(),
            showing: None,
            compare: None,
            set: BTreeMap::new(),
            run: Running::default(),
            runs: vec![],
            coverage: None,
            coverage_asked: None,
            evaluated: HashMap::new(),
            evaluating: HashMap::new(),
            showing_stale: false,
            compare_stale: false,
            versions: None,
            versions_asked: false,
            reason: String::new(),
            decision: (String::new(), String::new()),
            comparison: None,
            origin: None,
            sample_seen: false,
        };
        tab.load_runs();
        tab
    }

    /// The workflow.
    pub fn workflow(&self) -> &Arc<Workflow> {
        self.document.workflow()
    }

    /// The kind of a step.
    pub fn kind(&self, node: &str) -> Option<&'static Kind> {
        registry::find(&self.workflow().nodes.get(node)?.kind)
    }

    /// The ports of a step; none for a kind that is not known.
    pub fn ports(&self, node: &str) -> Ports {
        let checked = self.facts.as_ref().filter(|facts| facts.revision == self.document.revision());
        if let Some(step) = checked.and_then(|facts| facts.checked.steps.get(node)) {
            return step.ports.clone();
        }
        ports_of(self.workflow(), node)
    }

    /// The problems of the workflow.
    pub fn problems(&self) -> &[Problem] {
        self.facts.as_ref().map_or(&[], |facts| &facts.checked.problems)
    }

    /// Has the workflow looked at anew: something that it reads has changed.
    pub fn look_again(&mut self) {
        self.sent = 0;
        self.showing_stale = true;
        self.compare_stale = true;
    }

    /// Whether what checking found is about the present revision.
    pub fn is_current(&self) -> bool {
        self.facts.as_ref().is_some_and(|facts| facts.revision == self.document.revision())
    }

    /// The ports whose rows arrive on an input port of a step, in the order of the wires.
    pub fn sources(&self, node: &str, input: &str) -> Vec<Port> {
        let workflow = self.workflow();
        let ports = ports_of(workflow, node);
        let first = ports.inputs.first().map(|port| port.name);
        let arrives = |edge: &&Edge| edge.to.node == node && edge.to.port.as_deref().or(first) == Some(input);
        workflow.edges.iter().filter(arrives).filter_map(|edge| out_port(workflow, &edge.from)).collect()
    }

    /// The columns that arrive on an input port: of its first wire.
    pub fn incoming(&self, node: &str, input: &str) -> Option<&Schema> {
        let from = self.sources(node, input).into_iter().next()?;
        self.facts.as_ref()?.columns.get(&from)
    }

    /// The port whose rows are shown for the selection.
    pub fn wanted(&self) -> Option<Port> {
        if let Some(port) = &self.selection.port {
            return Some(port.clone());
        }
        let node = self.selection.only()?;
        let ports = self.ports(node);
        match ports.outputs.first() {
            Some(port) => Some(Port { node: node.to_owned(), port: port.name.to_owned() }),
            // A step that loads shows what arrives.
            None => self.sources(node, ports.inputs.first()?.name).into_iter().next(),
        }
    }

    /// An id for a new step that nothing has yet.
    pub fn free_id(&self, wanted: &str) -> String {
        free_id(self.workflow(), wanted)
    }

    /// Reads the certificates of this workflow's runs.
    pub fn load_runs(&mut self) {
        let (Some(project), Some(path)) = (&self.project, self.document.path()) else { return };
        let file = project.shown(path);
        let mut runs: Vec<Certificate> = std::fs::read_dir(project.runs())
            .into_iter()
            .flatten()
            .filter_map(|entry| std::fs::read_to_string(entry.ok()?.path().join("certificate.json")).ok())
            .filter_map(|text| serde_json::from_str::<Certificate>(&text).ok())
            .filter(|certificate| certificate.workflow.file == file)
            .collect();
        runs.sort_by(|a, b| b.run.cmp(&a.run));
        self.runs = runs;
    }

    /// The project folder as questions need it: the file's, or the working folder for what is not saved yet.
    pub fn project(&self) -> Option<Project> {
        self.project.clone().or_else(|| Project::around(&std::env::current_dir().ok()?).ok())
    }
}

/// The ports of a step as its parameters alone give them.
pub fn ports_of(workflow: &Workflow, node: &str) -> Ports {
    let found = workflow.nodes.get(node).and_then(|node| Some((registry::find(&node.kind)?, node)));
    match found {
        Some((kind, node)) => kind.ports(&serde_json::Value::Object(node.params.clone())),
        None => Ports { inputs: vec![], outputs: vec![] },
    }
}

/// The output port that one end of a wire means.
pub fn out_port(workflow: &Workflow, end: &PortRef) -> Option<Port> {
    let name = match &end.port {
        Some(port) => port.clone(),
        None => ports_of(workflow, &end.node).outputs.first()?.name.to_owned(),
    };
    Some(Port { node: end.node.clone(), port: name })
}

/// An id that no step has: the one wanted, else with a number behind it.
pub fn free_id(workflow: &Workflow, wanted: &str) -> String {
    let base: String = slug(wanted);
    if !workflow.nodes.contains_key(&base) {
        return base;
    }
    (2..=workflow.nodes.len() + 2).map(|n| format!("{base}_{n}")).find(|id| !workflow.nodes.contains_key(id)).unwrap_or(base)
}

/// A text as the id of a step: letters without accents, digits and underscores.
pub fn slug(text: &str) -> String {
    let mut id = String::new();
    for c in text.to_lowercase().chars() {
        let plain = match c {
            'à' | 'â' | 'ä' | 'á' | 'ã' => 'a',
            'ç' => 'c',
            'é' | 'è' | 'ê' | 'ë' => 'e',
            'î' | 'ï' | 'í' => 'i',
            'ô' | 'ö' | 'ó' => 'o',
            'ù' | 'û' | 'ü' | 'ú' => 'u',
            c => c,
        };
        if plain.is_ascii_alphanumeric() || plain == '-' {
            id.push(plain);
        } else if !id.ends_with('_') && !id.is_empty() {
            id.push('_');
        }
    }
    let id = id.trim_end_matches('_').to_owned();
    if id.is_empty() { "step".into() } else { id }
}

/// What a step is called on its card: its title, the id a person gave it, or what its kind is called.
pub fn title(id: &str, node: &Node, kind: Option<&Kind>) -> String {
    if let Some(title) = &node.title {
        return title.clone();
    }
    let plain = kind.is_some_and(|kind| id.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('_') == base_id(kind));
    match (plain, kind) {
        (true, Some(kind)) => text::words(kind.identity.title).to_owned(),
        _ => text::spoken(id),
    }
}

/// The id that new steps of a kind start from.
pub fn base_id(kind: &Kind) -> String {
    slug(kind.identity.title.en)
}

/// What one setting of a step says about it, for the second line of its card.
pub fn gist(node: &Node, kind: &Kind) -> String {
    fn first(value: &serde_json::Value) -> Option<String> {
        match value {
            serde_json::Value::String(text) if !text.is_empty() => Some(text.clone()),
            serde_json::Value::Array(items) => {
                let parts: Vec<String> = items.iter().take(3).filter_map(first).collect();
                (!parts.is_empty()).then(|| parts.join(", "))
            }
            serde_json::Value::Object(map) => {
                ["as", "name", "column", "left"].iter().find_map(|key| first(map.get(*key)?)).or_else(|| map.values().find_map(first))
            }
            _ => None,
        }
    }
    // The settings that must be given say most; then what is no choice among a few words.
    let required = kind.schema.get("required").and_then(|r| r.as_array()).into_iter().flatten().filter_map(|name| name.as_str());
    let choice = |name: &str| kind.schema["properties"][name].get("oneOf").is_some();
    let found = required.chain(kind.parameters().filter(|name| !choice(name))).find_map(|name| first(node.params.get(name)?));
    found.unwrap_or_else(|| text::words(kind.identity.title).to_owned())
}

/// What is drawn above everything else.
#[derive(Debug, Default)]
pub enum Overlay {
    /// Nothing.
    #[default]
    None,
    /// Search for a step to add.
    AddStep(Search, Option<[f64; 2]>, Attach),
    /// Search for a command.
    Commands(Search),
    /// Search for a step or a column of this workflow.
    Find(Search),
    /// Give the selected step a name.
    Rename(String, String),
    /// A comment's text.
    Comment(usize, String),
    /// A group's title.
    Group(usize, String),
    /// Ask before closing tabs with unsaved work: one, or all to quit.
    Unsaved(Option<usize>),
    /// Template packages.
    Gallery(Box<Gallery>),
    /// The files of a package's inputs.
    Bind(Box<Binding>),
    /// A file that cannot be opened.
    Unreadable(PathBuf, Vec<Problem>),
}

/// A text being searched for, and the line that Enter takes.
#[derive(Debug, Default, Clone)]
pub struct Search {
    /// The text.
    pub text: String,
    /// The line.
    pub line: usize,
    /// Whether the field had the focus.
    pub focused: bool,
}

/// Everything.
#[derive(Debug)]
pub struct Desk {
    /// Open workflows.
    pub tabs: Vec<Tab>,
    /// The one on the screen; the start screen is shown when there is none.
    pub current: usize,
    /// What is remembered.
    pub settings: Settings,
    /// The editor's own folder.
    pub folder: Option<PathBuf>,
    /// The engine.
    pub worker: Worker,
    /// What was asked for in this frame.
    pub asks: Vec<Ask>,
    /// What lies above everything else.
    pub overlay: Overlay,
    /// A message, since when, and whether it is bad news.
    pub message: Option<(String, Instant, bool)>,
    /// The panel at the bottom.
    pub bottom: Bottom,
    /// What the palette is searched for.
    pub palette: String,
    /// The number of the next tab.
    pub next: TabId,
    /// Whether the window may close.
    pub quitting: bool,
}

/// The panels at the bottom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Bottom {
    /// Rows.
    #[default]
    Data,
    /// Problems.
    Problems,
    /// Controls.
    Controls,
    /// Runs.
    Runs,
    /// Versions.
    Versions,
    /// Where a figure comes from.
    Origin,
}

impl Desk {
    /// The workflow on the screen.
    pub fn tab(&self) -> Option<&Tab> {
        self.tabs.get(self.current)
    }

    /// The workflow on the screen.
    pub fn tab_mut(&mut self) -> Option<&mut Tab> {
        self.tabs.get_mut(self.current)
    }

    /// The tab with a number.
    pub fn by_id(&mut self, id: TabId) -> Option<&mut Tab> {
        self.tabs.iter_mut().find(|tab| tab.id == id)
    }

    /// Asks for something.
    pub fn ask(&mut self, ask: Ask) {
        self.asks.push(ask);
    }

    /// Opens a document in a tab of its own.
    pub fn add_tab(&mut self, document: Document) {
        self.next += 1;
        self.tabs.push(Tab::new(self.next, document));
        self.current = self.tabs.len() - 1;
    }

    /// Opens a workflow file; the tab that has it already is shown.
    pub fn open(&mut self, path: &Path) {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        if let Some(place) = self.tabs.iter().position(|tab| tab.document.path() == Some(&path)) {
            self.current = place;
            return;
        }
        match Document::open(&path) {
            Ok(document) => {
                self.settings.opened(&path);
                self.add_tab(document);
            }
            Err(problems) => self.overlay = Overlay::Unreadable(path, problems),
        }
    }

    /// Says something for a moment.
    pub fn say(&mut self, message: impl Into<String>, bad: bool) {
        self.message = Some((message.into(), Instant::now(), bad));
    }
}
