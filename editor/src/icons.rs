//! Icons by their Material names, drawn with the font in `assets/fonts`.

use std::collections::HashMap;
use std::sync::LazyLock;

static CHARACTERS: LazyLock<HashMap<&'static str, char>> = LazyLock::new(|| {
    include_str!("../../assets/fonts/icons.tsv")
        .lines()
        .filter_map(|line| {
            let (name, code) = line.split_once('\t')?;
            Some((name, char::from_u32(u32::from_str_radix(code, 16).ok()?)?))
        })
        .collect()
});

/// The character of an icon; a plain circle for a name the font does not have.
pub fn icon(name: &str) -> char {
    CHARACTERS.get(name).or_else(|| CHARACTERS.get("circle")).copied().unwrap_or('•')
}

/// An icon as text.
pub fn text(name: &str, size: f32) -> egui::RichText {
    egui::RichText::new(icon(name)).family(egui::FontFamily::Name("icons".into())).size(size)
}

/// The font of icons at a size.
pub fn font(size: f32) -> egui::FontId {
    egui::FontId::new(size, egui::FontFamily::Name("icons".into()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_kind_has_an_icon_of_its_own() {
        for kind in weir_nodes::registry::registry() {
            assert!(super::CHARACTERS.contains_key(kind.identity.icon), "{}: {}", kind.identity.id, kind.identity.icon);
        }
    }
}
