//! The gallery of template packages, and the guided page that binds a person's files to a package's inputs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use weir_engine::Problem;
use weir_engine::package::bind::{Judgement, Suggestion, Wish, bind, bound_file, contracts, judge, suggest, unbind};
use weir_engine::package::install::{Trust, Wanted, install, project_in};
use weir_engine::package::registry::{Found, registries, search};
use weir_engine::package::{Files, Manifest, inputs};
use weir_engine::plan::Limits;
use weir_engine::project::Project;
use weir_engine::workflow::Workflow;
use weir_nodes::contract::Inputs;

use crate::canvas::geometry::Geometry;
use crate::command::Command;
use crate::desk::{Ask, Desk, Overlay};
use crate::text;
use crate::worker::{Purpose, Told, Worker};

/// What the gallery shows.
#[derive(Debug, Default)]
pub struct Gallery {
    /// What is searched for.
    pub search: String,
    /// What was searched for last.
    pub asked: Option<String>,
    /// The packages that fit, and registries that could not be used.
    pub found: Vec<Found>,
    /// Registries that could not be used.
    pub problems: Vec<Problem>,
    /// The package that is looked at.
    pub chosen: Option<String>,
    /// Everything about it; none while it is fetched.
    pub detail: Option<Result<Arc<Detail>, Problem>>,
    /// The project folder it is to be installed in.
    pub folder: String,
    /// Whether something is being done.
    pub busy: bool,
    /// Why the last thing was refused.
    pub refused: Option<Problem>,
}

/// Everything about a package.
#[derive(Debug)]
pub struct Detail {
    /// Where it was found.
    pub found: Found,
    /// What it is made of.
    pub files: Files,
    /// What it says of itself.
    pub manifest: Manifest,
    /// What it asks for.
    pub inputs: Option<Inputs>,
    /// Its main workflow as a drawing.
    pub drawing: Option<Geometry>,
    /// Its documentation.
    pub readme: String,
}

/// How a file would be bound, and what the contract says of it.
pub type Suggested = Result<Box<(Suggestion, Result<Judgement, Problem>)>, Problem>;

/// The guided page: which file is which input.
#[derive(Debug)]
pub struct Binding {
    /// The project, as the package's workflows see it.
    pub project: Project,
    /// What the package asks for.
    pub contracts: Arc<Inputs>,
    /// The files that are bound; none reads its example.
    pub bound: BTreeMap<String, Option<String>>,
    /// The input that is bound now.
    pub input: String,
    /// The file, as it is typed.
    pub file: String,
    /// Columns chosen by hand.
    pub columns: BTreeMap<String, Option<String>>,
    /// What was asked about last.
    pub asked: Option<(String, String, BTreeMap<String, Option<String>>)>,
    /// What is suggested, and what the contract says of it.
    pub answer: Option<Suggested>,
    /// Whether something is being looked at.
    pub busy: bool,
}

impl Binding {
    /// The page for the package that a project's workflow belongs to; none when it belongs to none.
    pub fn of(project: &Project) -> Option<Self> {
        if !weir_engine::package::is_package(project.home()) {
            return None;
        }
        let (project, contracts) = contracts(project, project.home()).ok()?;
        let bound: BTreeMap<String, Option<String>> =
            contracts.inputs.keys().map(|name| (name.clone(), bound_file(&project, name))).collect();
        let input = bound.iter().find(|(_, file)| file.is_none()).or(bound.iter().next()).map(|(name, _)| name.clone())?;
        Some(Self {
            project,
            contracts: Arc::new(contracts),
            bound,
            input,
            file: String::new(),
            columns: BTreeMap::new(),
            asked: None,
            answer: None,
            busy: false,
        })
    }

    /// The inputs that read their examples, of the package that a project's workflow belongs to.
    pub fn unbound(project: &Project) -> Vec<String> {
        let page = Self::of(project);
        page.into_iter().flat_map(|page| page.bound).filter(|(_, file)| file.is_none()).map(|(name, _)| name).collect()
    }

    /// The same page as it is now, turned to the input of before.
    pub fn again(&self) -> Option<Self> {
        let mut page = Self::of(&self.project)?;
        page.turn(&self.input);
        Some(page)
    }

    /// Turns to an input.
    pub fn turn(&mut self, input: &str) {
        let file = self.bound.get(input).cloned().flatten();
        input.clone_into(&mut self.input);
        self.file = file.map(|file| shown_path(&self.project, &file)).unwrap_or_default();
        (self.columns, self.asked, self.answer) = (BTreeMap::new(), None, None);
    }
}

/// A bound file as a person knows it.
fn shown_path(project: &Project, file: &str) -> String {
    let path = project.path(file);
    path.canonicalize().unwrap_or(path).display().to_string()
}

/// What comes back.
#[derive(Debug)]
pub enum News {
    /// Packages that fit a question.
    Found(Vec<Found>, Vec<Problem>),
    /// A package that was fetched.
    Detail(String, Result<Arc<Detail>, Problem>),
    /// The workflow of a package that now stands somewhere; whether it is a sample, to be run at once.
    Placed(Result<PathBuf, Problem>, bool),
    /// What is suggested for a file.
    Suggested(Suggested),
    /// A file was bound or taken back.
    Bound(Result<(), Problem>),
}

fn detail(found: Found) -> Result<Detail, Problem> {
    let files = found.registry.fetch(&found.entry)?;
    let manifest = Manifest::of(&files)?;
    let workflow = files.text(&manifest.main)?.and_then(|text| Workflow::parse(text, &manifest.main).ok());
    let drawing = workflow.map(|workflow| Geometry::of(&workflow));
    let readme = files.text("README.md")?.unwrap_or_default().to_owned();
    Ok(Detail { inputs: inputs(&files)?, found, manifest, drawing, readme, files })
}

/// A sample of a package: a project of its own, made anew.
fn sample(folder: &std::path::Path, detail: &Detail) -> Result<PathBuf, Problem> {
    let folder = folder.join("samples").join(&detail.manifest.id);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(|error| {
            Problem::error(format!("The sample of before cannot be removed: {error}.")).in_file(folder.display().to_string(), None)
        })?;
    }
    detail.files.write(&folder)?;
    Ok(folder.join(&detail.manifest.main))
}

fn placed(folder: &str, detail: &Detail) -> Result<PathBuf, Problem> {
    if folder.trim().is_empty() {
        return Err(Problem::error("No folder is chosen.").help("Choose the folder of your project, or an empty one."));
    }
    let folder = PathBuf::from(folder.trim());
    std::fs::create_dir_all(&folder).map_err(|error| {
        Problem::error(format!("The folder cannot be made: {error}."))
            .in_file(folder.display().to_string(), None)
            .help("Choose another one.")
    })?;
    let project = project_in(&folder)?;
    let wanted = Wanted::exact(&detail.manifest);
    let all = registries(&[], Some(&project));
    let first = std::iter::once(detail.found.registry.clone()).chain(all).collect::<Vec<_>>();
    let done = install(&project, &first, &wanted, &Trust::default())?;
    let last = done.last().ok_or_else(|| Problem::error("Nothing was installed."))?;
    Ok(last.folder.join(&last.manifest.main))
}

/// Opens the gallery.
pub fn open(desk: &mut Desk) {
    let here = desk.tab().and_then(|tab| tab.project.as_ref()).map(|project| project.root().display().to_string());
    desk.overlay = Overlay::Gallery(Box::new(Gallery { folder: here.unwrap_or_default(), ..Gallery::default() }));
}

/// Opens the guided page for the package that the workflow on the screen belongs to.
pub fn open_binding(desk: &mut Desk) {
    match desk.tab().and_then(|tab| tab.project.as_ref()).and_then(Binding::of) {
        Some(mut page) => {
            let input = page.input.clone();
            page.turn(&input);
            desk.overlay = Overlay::Bind(Box::new(page));
        }
        None => desk.say(
            text::either(
                "This workflow belongs to no template: it has no inputs to bind.",
                "Ce flux n'appartient à aucun modèle : il n'a pas d'entrée à rattacher.",
            ),
            true,
        ),
    }
}

/// Does what a page asked for.
pub fn perform(desk: &mut Desk, ask: Ask) {
    let project = desk.tab().and_then(|tab| tab.project.clone());
    let folder = desk.folder.clone().unwrap_or_else(std::env::temp_dir);
    match (&mut desk.overlay, ask) {
        (Overlay::Gallery(gallery), Ask::Gallery) => desk.worker.gallery(gallery.search.clone(), project),
        (Overlay::Gallery(gallery), Ask::Package(found)) => {
            (gallery.chosen, gallery.detail, gallery.refused) = (Some(found.entry.id.clone()), None, None);
            desk.worker.package(*found);
        }
        (Overlay::Gallery(gallery), Ask::Sample(detail)) => {
            gallery.busy = true;
            desk.worker.sample(detail, folder);
        }
        (Overlay::Gallery(gallery), Ask::Install(detail)) => {
            gallery.busy = true;
            desk.worker.install(detail, gallery.folder.clone());
        }
        (Overlay::Gallery(gallery), Ask::InstallFolder) => {
            let start = Some(PathBuf::from(&gallery.folder)).filter(|folder| folder.is_dir());
            desk.worker.choose(Purpose::Install, start, None);
        }
        (Overlay::Bind(page), Ask::Suggest) => {
            let (input, file, columns) = (page.input.clone(), page.file.clone(), page.columns.clone());
            desk.worker.suggest(page.project.clone(), Arc::clone(&page.contracts), input, file, columns);
        }
        (Overlay::Bind(page), Ask::BindFile) => desk.worker.choose(Purpose::Bind, Some(page.project.root().to_owned()), None),
        (Overlay::Bind(page), Ask::Bind) => {
            if let Some(Ok(answer)) = &page.answer {
                page.busy = true;
                desk.worker.bind(page.project.clone(), answer.0.clone());
            }
        }
        (Overlay::Bind(page), Ask::Unbind) => desk.worker.unbind(page.project.clone(), page.input.clone()),
        _ => {}
    }
}

/// A file or folder that was chosen in a dialog.
pub fn chosen(desk: &mut Desk, path: &std::path::Path) {
    match &mut desk.overlay {
        Overlay::Gallery(gallery) => gallery.folder = path.display().to_string(),
        Overlay::Bind(page) => page.file = path.display().to_string(),
        _ => {}
    }
}

/// Puts what came back in its place.
pub fn take(desk: &mut Desk, news: News) {
    match (news, &mut desk.overlay) {
        (News::Found(found, problems), Overlay::Gallery(gallery)) => (gallery.found, gallery.problems) = (found, problems),
        (News::Detail(id, detail), Overlay::Gallery(gallery)) if gallery.chosen.as_ref() == Some(&id) => gallery.detail = Some(detail),
        (News::Placed(Err(problem), _), Overlay::Gallery(gallery)) => (gallery.busy, gallery.refused) = (false, Some(problem)),
        (News::Placed(Ok(workflow), sample), overlay) => {
            *overlay = Overlay::None;
            desk.open(&workflow);
            if sample {
                desk.ask(Ask::Do(Command::Run));
            }
        }
        (News::Suggested(answer), Overlay::Bind(page)) => (page.busy, page.answer) = (false, Some(answer)),
        (News::Bound(result), overlay) => {
            let said = match &result {
                Ok(()) => None,
                Err(problem) => Some(problem.to_string()),
            };
            if let Overlay::Bind(page) = overlay
                && let Some(again) = page.again()
            {
                **page = again;
            }
            // What is read has changed: everything is looked at anew.
            for tab in &mut desk.tabs {
                tab.look_again();
            }
            match said {
                Some(problem) => desk.say(problem, true),
                None => desk.say(text::either("Done.", "Fait."), false),
            }
        }
        _ => {}
    }
}

impl Worker {
    fn blocking(&self, slot: &str, work: impl FnOnce() -> News + Send + 'static) {
        let tell = self.tell.clone();
        self.start(slot.to_owned(), async move {
            if let Ok(news) = tokio::task::spawn_blocking(work).await {
                tell.tell(Told::Gallery(Box::new(news)));
            }
        });
    }

    /// Searches packages.
    pub fn gallery(&self, question: String, project: Option<Project>) {
        self.blocking("gallery", move || {
            let (found, problems) = search(&registries(&[], project.as_ref()), &question);
            News::Found(found, problems)
        });
    }

    /// Fetches a package to look at.
    pub fn package(&self, found: Found) {
        self.blocking("package", move || {
            let id = found.entry.id.clone();
            News::Detail(id, detail(found).map(Arc::new))
        });
    }

    /// Installs a package into a project.
    pub fn install(&self, detail: Arc<Detail>, folder: String) {
        self.blocking("install", move || News::Placed(placed(&folder, &detail), false));
    }

    /// Puts a package where it can be tried on its sample.
    pub fn sample(&self, detail: Arc<Detail>, folder: PathBuf) {
        self.blocking("install", move || News::Placed(sample(&folder, &detail), true));
    }

    /// Suggests how a file is bound, and asks the contract about it.
    pub fn suggest(
        &self,
        project: Project,
        contracts: Arc<Inputs>,
        input: String,
        file: String,
        columns: BTreeMap<String, Option<String>>,
    ) {
        let tell = self.tell.clone();
        self.start("suggest".to_owned(), async move {
            let limits = Limits::default();
            let find = async {
                let suggestion = suggest(&project, &contracts, &Wish { input, file, columns }, &limits).await?;
                let judgement = judge(&project, &contracts, &suggestion, &limits).await;
                Ok(Box::new((suggestion, judgement)))
            };
            let result = find.await;
            tell.tell(Told::Gallery(Box::new(News::Suggested(result))));
        });
    }

    /// Binds a file as suggested.
    pub fn bind(&self, project: Project, suggestion: Suggestion) {
        self.blocking("bind", move || News::Bound(bind(&project, &suggestion).map(|_| ())));
    }

    /// Takes a binding back.
    pub fn unbind(&self, project: Project, input: String) {
        self.blocking("bind", move || News::Bound(unbind(&project, &input)));
    }
}
