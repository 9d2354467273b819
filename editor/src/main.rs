//! The program: reads its arguments, opens the window.

use std::path::PathBuf;
use std::process::ExitCode;

use weir_editor::app::App;
use weir_editor::settings;

const HELP: &str = "weir-editor: draw a workflow and watch the rows at every step

Usage: weir-editor [FILE]...

Arguments:
  [FILE]...  Workflows to open; none shows the start screen

Options:
  -h, --help     Print help
  -V, --version  Print version";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "-h" || argument == "--help") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    if arguments.iter().any(|argument| argument == "-V" || argument == "--version") {
        println!("weir-editor {}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    let files: Vec<PathBuf> = arguments.iter().map(PathBuf::from).collect();
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("Weir")
            .with_app_id("weir")
            .with_inner_size([1440.0, 900.0])
            .with_min_inner_size([800.0, 500.0])
            .with_drag_and_drop(true),
        ..Default::default()
    };
    let opened = eframe::run_native(
        "weir-editor",
        options,
        Box::new(move |cc| {
            let app = App::new(&cc.egui_ctx, &files, settings::folder()).map_err(|problem| problem.to_string())?;
            Ok(Box::new(app))
        }),
    );
    match opened {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: The window cannot be opened: {error}.");
            ExitCode::from(3)
        }
    }
}
