//! Colours, fonts and spacing. Two themes, one accent, category colours that colour-blind people can tell apart
//! (after Okabe and Ito), steps of eight points.

use std::sync::Arc;

use egui::{Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Stroke, TextStyle, Theme, Visuals};
use weir_nodes::kind::Category;

/// Semi-bold text.
pub fn strong_family() -> FontFamily {
    FontFamily::Name("strong".into())
}

/// The colours of a theme beyond what widgets use.
#[derive(Debug, Clone, Copy)]
pub struct Colours {
    /// Behind the cards.
    pub canvas: Color32,
    /// The dots of its grid.
    pub dots: Color32,
    /// A card.
    pub card: Color32,
    /// Its edge.
    pub edge: Color32,
    /// Text.
    pub text: Color32,
    /// Text that matters less; still four and a half to one on cards and panels.
    pub soft: Color32,
    /// The accent.
    pub accent: Color32,
    /// Wires.
    pub wire: Color32,
    /// Something holds.
    pub good: Color32,
    /// Worth a look.
    pub warn: Color32,
    /// Wrong.
    pub bad: Color32,
    /// Behind every second row.
    pub stripe: Color32,
}

const LIGHT: Colours = Colours {
    canvas: Color32::from_rgb(0xf4, 0xf5, 0xf7),
    dots: Color32::from_rgb(0xd8, 0xdb, 0xe0),
    card: Color32::WHITE,
    edge: Color32::from_rgb(0xc9, 0xce, 0xd6),
    text: Color32::from_rgb(0x1c, 0x22, 0x2b),
    soft: Color32::from_rgb(0x59, 0x63, 0x70),
    accent: Color32::from_rgb(0x0b, 0x6b, 0xcb),
    wire: Color32::from_rgb(0x8b, 0x95, 0xa3),
    good: Color32::from_rgb(0x1a, 0x7f, 0x4b),
    warn: Color32::from_rgb(0x9a, 0x5b, 0x00),
    bad: Color32::from_rgb(0xc0, 0x2b, 0x2b),
    stripe: Color32::from_rgb(0xf7, 0xf8, 0xfa),
};

const DARK: Colours = Colours {
    canvas: Color32::from_rgb(0x15, 0x18, 0x1d),
    dots: Color32::from_rgb(0x2b, 0x30, 0x38),
    card: Color32::from_rgb(0x23, 0x28, 0x30),
    edge: Color32::from_rgb(0x3d, 0x45, 0x51),
    text: Color32::from_rgb(0xe6, 0xe9, 0xee),
    soft: Color32::from_rgb(0xa2, 0xac, 0xb9),
    accent: Color32::from_rgb(0x5a, 0xa9, 0xf5),
    wire: Color32::from_rgb(0x74, 0x80, 0x90),
    good: Color32::from_rgb(0x5f, 0xc9, 0x8f),
    warn: Color32::from_rgb(0xe3, 0xb3, 0x41),
    bad: Color32::from_rgb(0xff, 0x7b, 0x72),
    stripe: Color32::from_rgb(0x20, 0x24, 0x2b),
};

/// The colours of the theme in use.
pub fn colours(ui: &egui::Ui) -> Colours {
    colours_of(ui.visuals().dark_mode)
}

/// The colour of a family of steps.
pub fn category(category: Category) -> Color32 {
    match category {
        Category::Input => Color32::from_rgb(0x00, 0x72, 0xb2),
        Category::Filter => Color32::from_rgb(0x56, 0xb4, 0xe9),
        Category::Join => Color32::from_rgb(0x00, 0x9e, 0x73),
        Category::Mapping => Color32::from_rgb(0xcc, 0x79, 0xa7),
        Category::Control => Color32::from_rgb(0xd5, 0x5e, 0x00),
        Category::Calc => Color32::from_rgb(0xe6, 0x9f, 0x00),
        Category::Load => Color32::from_rgb(0x7d, 0x86, 0x92),
    }
}

/// Fonts, spacing and both themes.
pub fn install(ctx: &egui::Context) {
    ctx.set_fonts(fonts());
    ctx.set_visuals_of(Theme::Light, visuals(Visuals::light(), &LIGHT));
    ctx.set_visuals_of(Theme::Dark, visuals(Visuals::dark(), &DARK));
    ctx.all_styles_mut(|style| {
        style.text_styles = [
            (TextStyle::Small, FontId::new(11.5, FontFamily::Proportional)),
            (TextStyle::Body, FontId::new(13.0, FontFamily::Proportional)),
            (TextStyle::Button, FontId::new(13.0, FontFamily::Proportional)),
            (TextStyle::Heading, FontId::new(17.0, strong_family())),
            (TextStyle::Monospace, FontId::new(12.5, FontFamily::Monospace)),
        ]
        .into();
        style.spacing.item_spacing = egui::vec2(8.0, 6.0);
        style.spacing.button_padding = egui::vec2(8.0, 4.0);
        style.spacing.interact_size.y = 24.0;
        style.spacing.menu_margin = egui::Margin::same(8);
        style.animation_time = 0.1;
    });
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    let files: [(&str, &'static [u8]); 4] = [
        ("ui", include_bytes!("../../assets/fonts/Inter-Regular.otf")),
        ("strong", include_bytes!("../../assets/fonts/Inter-SemiBold.otf")),
        ("mono", include_bytes!("../../assets/fonts/JetBrainsMono-Regular.ttf")),
        ("icons", include_bytes!("../../assets/fonts/icons.ttf")),
    ];
    for (name, bytes) in files {
        fonts.font_data.insert(name.into(), Arc::new(FontData::from_static(bytes)));
    }
    for (family, names) in [
        (FontFamily::Proportional, ["ui", "mono", "icons"]),
        (FontFamily::Monospace, ["mono", "ui", "icons"]),
        (strong_family(), ["strong", "mono", "icons"]),
        (FontFamily::Name("icons".into()), ["icons", "ui", "mono"]),
    ] {
        fonts.families.insert(family, names.map(String::from).to_vec());
    }
    fonts
}

fn visuals(mut visuals: Visuals, colours: &Colours) -> Visuals {
    visuals.panel_fill = colours.card;
    visuals.window_fill = colours.card;
    visuals.extreme_bg_color = if visuals.dark_mode { Color32::from_rgb(0x1a, 0x1e, 0x24) } else { Color32::WHITE };
    visuals.faint_bg_color = colours.stripe;
    visuals.override_text_color = Some(colours.text);
    visuals.weak_text_color = Some(colours.soft);
    visuals.hyperlink_color = colours.accent;
    visuals.error_fg_color = colours.bad;
    visuals.warn_fg_color = colours.warn;
    visuals.selection.bg_fill = colours.accent.gamma_multiply(0.28);
    visuals.selection.stroke = Stroke::new(1.0, colours.accent);
    visuals.window_stroke = Stroke::new(1.0, colours.edge);
    visuals.window_corner_radius = CornerRadius::same(8);
    visuals.menu_corner_radius = CornerRadius::same(8);
    let rest = if visuals.dark_mode { Color32::from_rgb(0x2f, 0x36, 0x40) } else { Color32::from_rgb(0xec, 0xee, 0xf2) };
    for (widget, fill, stroke) in [
        (&mut visuals.widgets.noninteractive, colours.card, colours.edge),
        (&mut visuals.widgets.inactive, rest, colours.edge),
        (&mut visuals.widgets.hovered, rest, colours.accent),
        (&mut visuals.widgets.active, colours.accent.gamma_multiply(0.35), colours.accent),
        (&mut visuals.widgets.open, rest, colours.accent),
    ] {
        widget.bg_fill = fill;
        widget.weak_bg_fill = fill;
        widget.bg_stroke = Stroke::new(1.0, stroke);
        widget.fg_stroke = Stroke::new(1.0, colours.text);
        widget.corner_radius = CornerRadius::same(6);
        widget.expansion = 0.0;
    }
    visuals.widgets.inactive.bg_stroke = Stroke::new(1.0, colours.edge);
    visuals
}

/// The colours of the dark or the light theme.
pub fn colours_of(dark: bool) -> Colours {
    if dark { DARK } else { LIGHT }
}
