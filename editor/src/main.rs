//! `weir-editor`: draw a workflow and watch the rows at every step. For now an empty desk.

use eframe::egui;

fn main() -> eframe::Result {
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default().with_title("Weir").with_inner_size([1280.0, 720.0]),
        ..Default::default()
    };
    eframe::run_ui_native("weir-editor", options, |ui, _frame| {
        egui::CentralPanel::default().show(ui, |ui| {
            ui.centered_and_justified(|ui| ui.label("Weir"));
        });
    })
}
