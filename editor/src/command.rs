//! The one table of commands: what menus, keys and the command palette offer.

use egui::{Key, KeyboardShortcut, Modifiers};

use crate::text::{self, Text};

/// Something a person can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is named after what it does; the table below has the words")]
pub enum Command {
    New,
    Open,
    Save,
    SaveAs,
    CloseTab,
    Undo,
    Redo,
    Cut,
    Copy,
    Paste,
    Duplicate,
    Delete,
    Bypass,
    SelectAll,
    Rename,
    Find,
    AddStep,
    AddComment,
    Group,
    FoldGroup,
    LayOut,
    AlignLeft,
    AlignTop,
    FitAll,
    FitSelection,
    Run,
    RunAgain,
    RunDraft,
    RunShadow,
    ShowSelected,
    Cancel,
    ExportSvg,
    TogglePalette,
    ToggleProperties,
    ToggleBottom,
    ToggleMinimap,
    ToggleTheme,
    SwitchLanguage,
    Larger,
    Smaller,
    Palette,
    Gallery,
    BindFiles,
}

/// A line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The command.
    pub command: Command,
    /// What it is called.
    pub name: Text,
    /// Its key, if it has one.
    pub key: Option<KeyboardShortcut>,
    /// A Material icon name.
    pub icon: &'static str,
    /// Whether the key works while a text is being edited.
    pub in_text: bool,
}

const fn key(modifiers: Modifiers, key: Key) -> Option<KeyboardShortcut> {
    Some(KeyboardShortcut::new(modifiers, key))
}

const CTRL: Modifiers = Modifiers::COMMAND;
const CTRL_SHIFT: Modifiers = Modifiers { alt: false, ctrl: false, shift: true, mac_cmd: false, command: true };
const PLAIN: Modifiers = Modifiers::NONE;

const fn entry(command: Command, name: Text, key: Option<KeyboardShortcut>, icon: &'static str) -> Entry {
    Entry { command, name, key, icon, in_text: false }
}

const fn anywhere(command: Command, name: Text, key: Option<KeyboardShortcut>, icon: &'static str) -> Entry {
    Entry { command, name, key, icon, in_text: true }
}

/// Every command.
pub const COMMANDS: &[Entry] = &[
    anywhere(Command::Run, text::RUN, key(PLAIN, Key::F5), "play_arrow"),
    anywhere(Command::RunAgain, text::RUN_AGAIN, key(Modifiers::SHIFT, Key::F5), "repeat"),
    anywhere(Command::RunDraft, text::RUN_DRAFT, None, "edit"),
    anywhere(Command::RunShadow, text::RUN_SHADOW, None, "fact_check"),
    anywhere(Command::ShowSelected, text::SHOW, key(PLAIN, Key::F6), "visibility"),
    entry(Command::Cancel, text::CANCEL, key(PLAIN, Key::Escape), "cancel"),
    anywhere(Command::New, text::NEW, key(CTRL, Key::N), "note_add"),
    anywhere(Command::Open, text::OPEN, key(CTRL, Key::O), "folder_open"),
    anywhere(Command::Gallery, text::GALLERY, None, "extension"),
    anywhere(Command::BindFiles, text::BIND, None, "link"),
    anywhere(Command::SaveAs, text::SAVE_AS, key(CTRL_SHIFT, Key::S), "save"),
    anywhere(Command::Save, text::SAVE, key(CTRL, Key::S), "save"),
    anywhere(Command::CloseTab, text::CLOSE_TAB, key(CTRL, Key::W), "close"),
    entry(Command::Redo, text::REDO, key(CTRL_SHIFT, Key::Z), "redo"),
    entry(Command::Undo, text::UNDO, key(CTRL, Key::Z), "undo"),
    entry(Command::Cut, text::CUT, None, "content_cut"),
    entry(Command::Copy, text::COPY, None, "content_copy"),
    entry(Command::Paste, text::PASTE, None, "content_paste"),
    entry(Command::Duplicate, text::DUPLICATE, key(CTRL, Key::D), "copy_all"),
    entry(Command::Delete, text::DELETE, key(PLAIN, Key::Delete), "delete"),
    entry(Command::Bypass, text::BYPASS, key(CTRL, Key::B), "alt_route"),
    entry(Command::SelectAll, text::SELECT_ALL, key(CTRL, Key::A), "select_all"),
    anywhere(Command::Rename, text::RENAME, key(PLAIN, Key::F2), "edit"),
    anywhere(Command::Find, text::FIND, key(CTRL, Key::F), "search"),
    entry(Command::AddStep, text::ADD_STEP, key(PLAIN, Key::Space), "add"),
    entry(Command::AddComment, text::COMMENT, key(PLAIN, Key::C), "comment"),
    entry(Command::FoldGroup, text::FOLD, key(CTRL_SHIFT, Key::G), "unfold_less"),
    entry(Command::Group, text::GROUP, key(CTRL, Key::G), "group"),
    entry(Command::LayOut, text::LAY_OUT, key(CTRL, Key::L), "account_tree"),
    entry(Command::AlignLeft, text::ALIGN_LEFT, None, "align_horizontal_left"),
    entry(Command::AlignTop, text::ALIGN_TOP, None, "align_vertical_top"),
    entry(Command::FitAll, text::FIT_ALL, key(CTRL, Key::Num0), "fit_screen"),
    entry(Command::FitSelection, text::FIT_SELECTION, key(CTRL, Key::Num1), "center_focus_strong"),
    entry(Command::ExportSvg, text::EXPORT_SVG, key(CTRL, Key::E), "image"),
    anywhere(Command::TogglePalette, text::HIDE_PALETTE, key(PLAIN, Key::F7), "widgets"),
    anywhere(Command::ToggleProperties, text::HIDE_PROPERTIES, key(PLAIN, Key::F8), "tune"),
    anywhere(Command::ToggleBottom, text::HIDE_BOTTOM, key(PLAIN, Key::F9), "table"),
    entry(Command::ToggleMinimap, text::MINIMAP, key(PLAIN, Key::M), "map"),
    entry(Command::ToggleTheme, text::THEME, None, "dark_mode"),
    entry(Command::SwitchLanguage, text::SWITCH_LANGUAGE, None, "language"),
    anywhere(Command::Larger, text::ZOOM_IN, key(CTRL, Key::Plus), "zoom_in"),
    anywhere(Command::Smaller, text::ZOOM_OUT, key(CTRL, Key::Minus), "zoom_out"),
    anywhere(Command::Palette, text::COMMANDS, key(CTRL, Key::P), "keyboard_command_key"),
];

/// The line of a command.
pub fn of(command: Command) -> &'static Entry {
    COMMANDS.iter().find(|entry| entry.command == command).unwrap_or(&COMMANDS[0])
}

/// The command whose key was pressed in this frame; it is taken from the input.
pub fn pressed(ctx: &egui::Context) -> Vec<Command> {
    let typing = ctx.text_edit_focused() || egui::Popup::is_any_open(ctx);
    let mut found = Vec::new();
    ctx.input_mut(|input| {
        let also = [
            (KeyboardShortcut::new(CTRL, Key::Y), Command::Redo, false),
            (KeyboardShortcut::new(PLAIN, Key::Tab), Command::AddStep, false),
            (KeyboardShortcut::new(PLAIN, Key::Backspace), Command::Delete, false),
            (KeyboardShortcut::new(CTRL_SHIFT, Key::P), Command::Palette, true),
        ];
        let table = COMMANDS.iter().filter_map(|entry| Some((entry.key?, entry.command, entry.in_text)));
        for (key, command, in_text) in also.into_iter().chain(table) {
            if (in_text || !typing) && input.consume_shortcut(&key) {
                found.push(command);
            }
        }
        if !typing {
            // The window system turns these keys into events of their own.
            input.events.retain(|event| match event {
                egui::Event::Copy => {
                    found.push(Command::Copy);
                    false
                }
                egui::Event::Cut => {
                    found.push(Command::Cut);
                    false
                }
                _ => true,
            });
        }
    });
    found
}
