//! What a frame of the editor costs, without a window: CPU time of layout and tessellation while the canvas moves, the
//! time to the first frame, and frames while ten million rows are computed. Prints; asserts nothing.
//!
//! `cargo bench -p weir-editor` in a release build; `ROWS=10000000` sets the rows of the last part.
#![allow(clippy::expect_used, reason = "a benchmark ends by panicking")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use egui::{Context, Event, Modifiers, MouseWheelSource, MouseWheelUnit, Pos2, RawInput, Rect, TouchPhase, pos2, vec2};
use weir_editor::app::App;
use weir_engine::workflow::Workflow;

const SCREEN: Rect = Rect { min: Pos2::ZERO, max: pos2(1600.0, 1000.0) };

struct Bench {
    ctx: Context,
    app: App,
    time: f64,
}

impl Bench {
    fn open(files: &[PathBuf]) -> Self {
        let ctx = Context::default();
        let app = App::new(&ctx, files, None).expect("the engine starts");
        Self { ctx, app, time: 0.0 }
    }

    /// One frame with these events: its cost from input to triangles.
    fn frame(&mut self, events: Vec<Event>) -> Duration {
        self.time += 1.0 / 60.0;
        let input = RawInput { screen_rect: Some(SCREEN), time: Some(self.time), events, ..RawInput::default() };
        let start = Instant::now();
        let app = &mut self.app;
        let output = self.ctx.run_ui(input, |ui| app.frame(ui));
        let triangles = self.ctx.tessellate(output.shapes, output.pixels_per_point);
        std::hint::black_box(triangles);
        start.elapsed()
    }
}

fn median(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    (ms(times[times.len() / 2]), ms(times[times.len() * 99 / 100]))
}

/// A workflow of this many steps, each fed by the one before or one some way back, and more wires into unions.
fn drawing(steps: usize, wires: usize) -> Workflow {
    let mut nodes = serde_json::Map::new();
    let mut edges = Vec::new();
    let mut places = serde_json::Map::new();
    for i in 0..steps {
        let (kind, params) = match i % 10 {
            0 => ("input.inline", serde_json::json!({ "columns": [{ "name": "a", "type": "integer" }], "rows": [["1"]] })),
            5 => ("union", serde_json::json!({})),
            _ => ("filter", serde_json::json!({ "condition": "[a] > 0" })),
        };
        nodes.insert(format!("n{i}"), serde_json::json!({ "kind": kind, "params": params }));
        if i % 10 != 0 {
            edges.push(serde_json::json!({ "from": format!("n{}", i - 1), "to": format!("n{i}") }));
        }
        places.insert(format!("n{i}"), serde_json::json!([(i % 50) as f64 * 264.0, (i / 50) as f64 * 104.0]));
    }
    let mut i = 7;
    while edges.len() < wires && steps > 20 {
        let to = (i * 10 + 5) % steps / 10 * 10 + 5;
        let from = (i * 7) % to.max(1) / 10 * 10;
        edges.push(serde_json::json!({ "from": format!("n{from}"), "to": format!("n{to}") }));
        i += 3;
    }
    let text = serde_json::json!({ "weir": 1, "nodes": nodes, "edges": edges, "layout": { "nodes": places } }).to_string();
    Workflow::parse(&text, "bench").expect("a workflow")
}

fn wheel(delta: f32, modifiers: Modifiers) -> Event {
    Event::MouseWheel {
        unit: MouseWheelUnit::Line,
        delta: vec2(0.0, delta),
        phase: TouchPhase::Move,
        modifiers,
        source: MouseWheelSource::Wheel,
    }
}

fn moving(steps: usize, wires: usize, folder: &Path) {
    let file = folder.join(format!("{steps}.json"));
    drawing(steps, wires).save(&file).expect("a file");
    let mut bench = Bench::open(&[file]);
    bench.frame(vec![Event::PointerMoved(SCREEN.center())]);
    for _ in 0..200 {
        bench.frame(vec![]);
        if bench.app.desk.tab().is_some_and(weir_editor::desk::Tab::is_current) {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let mut report = |name: &str, events: &dyn Fn(usize) -> Vec<Event>| {
        let times = (0..240).map(|i| bench.frame(events(i))).collect();
        let (middle, worst) = median(times);
        println!("{steps} steps, {wires} wires, {name:<28} median {middle:6.2} ms   99 % {worst:6.2} ms");
    };
    let pan = |i: usize| {
        let delta = vec2(if i % 80 < 40 { 14.0 } else { -14.0 }, if i % 40 < 20 { 9.0 } else { -9.0 });
        vec![Event::MouseWheel {
            unit: MouseWheelUnit::Point,
            delta,
            phase: TouchPhase::Move,
            modifiers: Modifiers::NONE,
            source: MouseWheelSource::Trackpad,
        }]
    };
    report("panning, legible", &pan);
    report("zooming out and in", &|i| vec![wheel(if i % 60 < 30 { -0.5 } else { 0.5 }, Modifiers::NONE)]);
    report("zooming far out", &|i| vec![wheel(if i < 40 { -1.0 } else { 0.0 }, Modifiers::NONE)]);
    report("panning, all of it in view", &pan);
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");

    let start = Instant::now();
    let mut bench = Bench::open(&[]);
    bench.frame(vec![]);
    println!("first frame (start screen)      {:6.0} ms", start.elapsed().as_secs_f64() * 1000.0);
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/commissions/workflows/commissions.json");
    let start = Instant::now();
    let mut bench = Bench::open(&[example]);
    bench.frame(vec![]);
    println!("first frame (a workflow)        {:6.0} ms", start.elapsed().as_secs_f64() * 1000.0);

    moving(1000, 1500, folder.path());
    moving(5000, 7500, folder.path());
    typing(folder.path());
}

/// A formula is typed while the rows of its step are computed from a large file.
fn typing(folder: &Path) {
    let rows: u64 = std::env::var("ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(10_000_000);
    let file = folder.join("large.csv");
    {
        use std::io::Write;
        let mut out = std::io::BufWriter::new(std::fs::File::create(&file).expect("a file"));
        writeln!(out, "id,owner,amount").expect("a line");
        for i in 0..rows {
            writeln!(out, "{i},owner{},{}.{:02}", i % 97, i * 7 % 100_000, i % 100).expect("a line");
        }
    }
    let text = r#"{"weir":1,"nodes":{"rows":{"kind":"input.csv","params":{"path":"large.csv"}},
        "kept":{"kind":"filter","params":{"condition":"[amount] > 1"}}},"edges":[{"from":"rows","to":"kept"}]}"#;
    let path = folder.join("typing.json");
    std::fs::write(&path, text).expect("a file");
    let mut bench = Bench::open(&[path]);
    for _ in 0..100 {
        bench.frame(vec![]);
        std::thread::sleep(Duration::from_millis(10));
    }
    if let Some(tab) = bench.app.desk.tab_mut() {
        tab.selection.select("kept");
    }
    let started = Instant::now();
    let mut first = None;
    let mut times = Vec::new();
    let letters: Vec<char> = "[amount] > 1 AND LEFT([owner], 5) = \"owner\" AND [id] > ".chars().collect();
    let mut typed = String::new();
    for i in 0..600 {
        // A letter every sixth frame: ten in a second.
        if i % 6 == 0 && !letters.is_empty() {
            typed.push(letters[i / 6 % letters.len()]);
            let edit = weir_engine::workflow::Edit::SetParam { id: "kept".into(), name: "condition".into(), value: typed.clone().into() };
            bench.app.desk.ask(weir_editor::desk::Ask::Type("kept.condition".into(), vec![edit]));
        }
        let cost = bench.frame(vec![]);
        times.push(cost);
        let shown = bench.app.desk.tab().and_then(|tab| tab.main.grid.as_ref()).is_some_and(|grid| grid.rows() > 0);
        if shown && first.is_none() {
            first = Some(started.elapsed());
        }
        std::thread::sleep(Duration::from_millis(16).saturating_sub(cost));
    }
    let (middle, worst) = median(times.clone());
    let slow = times.iter().filter(|time| **time > Duration::from_millis(33)).count();
    println!("typing over {rows} rows         median {middle:6.2} ms   99 % {worst:6.2} ms   {slow} of {} frames over 33 ms", times.len());
    if let Some(first) = first {
        println!("first rows after selecting      {:6.0} ms", first.as_secs_f64() * 1000.0);
    }
    if let Some(tab) = bench.app.desk.tab_mut() {
        tab.document.undo();
    }
    let started = Instant::now();
    while started.elapsed() < Duration::from_mins(2) {
        bench.frame(vec![]);
        let done = bench.app.desk.tab().is_some_and(|tab| !tab.main.fading && tab.is_current());
        if done && started.elapsed() > Duration::from_millis(200) {
            break;
        }
        std::thread::sleep(Duration::from_millis(16));
    }
    println!("exact rows after the last change {:5.0} ms", started.elapsed().as_secs_f64() * 1000.0);
}
