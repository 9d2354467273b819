//! Every visible string, in English and in French, and how figures are written in each.
//!
//! French is written by hand. The language belongs to the thread that draws.

use std::cell::Cell;

/// The languages of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// French.
    Fr,
}

thread_local! {
    static LANGUAGE: Cell<Language> = const { Cell::new(Language::En) };
}

/// Chooses the language of what is drawn from now on.
pub fn speak(language: Language) {
    LANGUAGE.set(language);
}

/// The language of what is drawn.
pub fn language() -> Language {
    LANGUAGE.get()
}

/// The system's language, English unless it is French.
pub fn system() -> Language {
    match sys_locale::get_locale() {
        Some(locale) if locale.to_lowercase().starts_with("fr") => Language::Fr,
        _ => Language::En,
    }
}

/// One of two texts, by language.
pub fn either<'a>(en: &'a str, fr: &'a str) -> &'a str {
    match language() {
        Language::En => en,
        Language::Fr => fr,
    }
}

/// The words of a kind in the current language.
pub fn words(words: weir_nodes::kind::Words) -> &'static str {
    either(words.en, words.fr)
}

/// A text in both languages.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    en: &'static str,
    fr: &'static str,
}

impl Text {
    /// The text in the current language.
    pub fn get(self) -> &'static str {
        either(self.en, self.fr)
    }
}

impl From<Text> for egui::WidgetText {
    fn from(text: Text) -> Self {
        text.get().into()
    }
}

macro_rules! texts {
    ($($name:ident: $en:literal, $fr:literal;)*) => {
        $(#[doc = $en] pub const $name: Text = Text { en: $en, fr: $fr };)*
    };
}

texts! {
    ADD: "Add", "Ajouter";
    ADD_STEP: "Add a step", "Ajouter une étape";
    ALIGN_LEFT: "Align left edges", "Aligner à gauche";
    ALIGN_TOP: "Align top edges", "Aligner en haut";
    ALL_PORTS: "Port", "Port";
    AUTOSAVED: "Unsaved work from an earlier session was found and opened.", "Un travail non enregistré d'une session précédente a été retrouvé et ouvert.";
    BIND: "Bind your files", "Rattacher vos fichiers";
    BIND_THIS: "Bind", "Rattacher";
    BLOCKED: "Nothing was loaded", "Rien n'a été chargé";
    BYPASS: "Bypass", "Contourner l'étape";
    CANCEL: "Cancel", "Annuler";
    CERTIFICATE: "Certificate", "Certificat";
    CHANGED_OUTSIDE: "The file was changed by another program.", "Le fichier a été modifié par un autre programme.";
    CHECKING: "Looking…", "Examen…";
    CHOOSE_FILE: "Choose a file…", "Choisir un fichier…";
    CHOOSE_FOLDER: "Choose a folder…", "Choisir un dossier…";
    CLOSE: "Close", "Fermer";
    CLOSE_TAB: "Close workflow", "Fermer le flux";
    COLUMN: "column", "colonne";
    COMMANDS: "Commands", "Commandes";
    COMMENT: "Add a comment", "Ajouter un commentaire";
    COMPARE: "Compare", "Comparer";
    CONTROLS: "Controls", "Contrôles";
    CONTROLS_EMPTY: "Run the workflow (F5): every control gives its verdict here, with both figures.", "Exécutez le flux (F5) : chaque contrôle rend ici son verdict, avec les deux montants.";
    COPIED: "Copied.", "Copié.";
    COPY: "Copy", "Copier";
    COPY_CELLS: "Copy with headers", "Copier avec les en-têtes";
    CUT: "Cut", "Couper";
    DATA: "Data", "Données";
    DATA_EMPTY: "Select a step to see its rows.", "Sélectionnez une étape pour voir ses lignes.";
    DATA_PROBLEM: "This step shows its rows once its problems are solved.", "Cette étape montrera ses lignes une fois ses problèmes résolus.";
    DELETE: "Delete", "Supprimer";
    DIFFERENCE: "difference", "écart";
    DISCARD: "Discard changes", "Abandonner les modifications";
    DROP_HERE: "Drop a file here, or press Space", "Déposez un fichier ici, ou appuyez sur Espace";
    DROP_HINT: "A file becomes the first step. Space searches all steps.", "Un fichier devient la première étape. Espace cherche parmi toutes les étapes.";
    DUPLICATE: "Duplicate", "Dupliquer";
    EXACT: "exact", "exact";
    EXAMPLES: "Examples", "Exemples";
    EXCEPTIONS: "Show the exceptions", "Voir les exceptions";
    EXPORT_SVG: "Export the drawing (SVG)…", "Exporter le dessin (SVG)…";
    FILL_FROM_DATA: "Fill from data", "Remplir depuis les données";
    FILTER_VIEW: "Filter these rows, as in [Amount] > 0", "Filtrer ces lignes, par exemple [Montant] > 0";
    FIND: "Find a step or a column", "Chercher une étape ou une colonne";
    FIT_ALL: "Fit all", "Tout afficher";
    FIT_SELECTION: "Fit the selection", "Afficher la sélection";
    FOLD: "Fold or unfold the group", "Replier ou déplier le groupe";
    FORMULA_RESULT: "First rows", "Premières lignes";
    GALLERY: "Templates", "Modèles";
    GROUP: "Group", "Grouper";
    GROUP_NEW: "Group", "Groupe";
    HIDE_BOTTOM: "Data panel", "Panneau des données";
    HIDE_PALETTE: "Palette", "Palette";
    HIDE_PROPERTIES: "Properties", "Propriétés";
    INSTALL: "Install", "Installer";
    INSERTED: "inserted", "insérée";
    KEEP_MINE: "Keep mine", "Garder ma version";
    LAY_OUT: "Lay out", "Ranger";
    MAPPED_ALL: "Every value is mapped.", "Toutes les valeurs sont mappées.";
    MINIMAP: "Minimap", "Mini-carte";
    NAME: "Name", "Nom";
    NEW: "New workflow", "Nouveau flux";
    NONE: "none", "aucun";
    NOTE: "Note", "Note";
    NOTHING_FITS: "Nothing fits that.", "Rien ne correspond.";
    NOTHING_SELECTED: "Select a step to set it up.", "Sélectionnez une étape pour la régler.";
    NOTHING_SELECTED_HINT: "Or drag one from the palette.", "Ou faites-en glisser une depuis la palette.";
    NO_PROBLEMS: "No problems.", "Aucun problème.";
    NO_RUNS: "This workflow has not run yet.", "Ce flux n'a pas encore été exécuté.";
    NULL: "empty", "vide";
    OPEN: "Open…", "Ouvrir…";
    OPEN_FILE: "Open a workflow", "Ouvrir un flux";
    PASTE: "Paste", "Coller";
    PASTE_EXCEL: "Paste from a spreadsheet", "Coller depuis un tableur";
    PLUS_RULE: "Add", "Ajouter";
    PROBLEMS: "Problems", "Problèmes";
    PUBLISHED: "Published", "Publié";
    QUIT_ASK: "Some workflows are not saved.", "Des flux ne sont pas enregistrés.";
    RECENT: "Recent", "Récents";
    READS_SAMPLE: "reads the sample", "lit l'exemple";
    REDO: "Redo", "Rétablir";
    RELOAD: "Load the file again", "Recharger le fichier";
    REMOVE: "Remove", "Retirer";
    RENAME: "Rename", "Renommer";
    REQUIRED: "required", "obligatoire";
    RUN: "Run", "Exécuter";
    RUN_AGAIN: "Run and load once more", "Exécuter et charger une fois de plus";
    RUN_DRAFT: "Run as a draft", "Exécuter en brouillon";
    RUN_SHADOW: "Run twice and compare", "Exécuter deux fois et comparer";
    RUNNING: "Running…", "Exécution…";
    RUNS: "Runs", "Exécutions";
    RUN_FAILED: "The run failed", "L'exécution a échoué";
    RUN_INVALID: "The workflow cannot run yet", "Le flux ne peut pas encore être exécuté";
    RUN_NEEDS_FILE: "Save the workflow first: a run needs a folder.", "Enregistrez d'abord le flux : une exécution a besoin d'un dossier.";
    SAMPLE: "sample of the first rows", "échantillon des premières lignes";
    SAVE: "Save", "Enregistrer";
    SAVED: "Saved.", "Enregistré.";
    SAVE_ALL: "Save and close", "Enregistrer et fermer";
    SAVE_AS: "Save as…", "Enregistrer sous…";
    SEARCH: "Search steps", "Chercher une étape";
    SEARCH_COMMANDS: "What do you want to do?", "Que voulez-vous faire ?";
    SELECT_ALL: "Select all", "Tout sélectionner";
    SHOW: "Show", "Afficher";
    SNAP: "Move to the grid", "Caler sur la grille";
    START_TITLE: "Draw a flow. See every row. Load only what reconciles.", "Dessinez un flux. Voyez chaque ligne. Ne chargez que ce qui est juste.";
    STEPS: "steps", "étapes";
    SUGGESTION: "Suggested", "Suggestion";
    SWITCH_LANGUAGE: "Français", "English";
    THEME: "Light or dark", "Clair ou sombre";
    TO_FILTER: "Make this a filter step", "En faire une étape de filtre";
    TO_SORT: "Make this a sort step", "En faire une étape de tri";
    TYPE: "Type", "Type";
    TRY_SAMPLE: "Run on sample data", "Exécuter sur l'exemple";
    UNDO: "Undo", "Annuler";
    UNMAPPED: "Unmapped values", "Valeurs non mappées";
    UNREADABLE: "This file is not a workflow that Weir can read. It was not changed.", "Ce fichier n'est pas un flux que Weir sait lire. Il n'a pas été modifié.";
    UNTITLED: "Untitled", "Sans titre";
    ZOOM_IN: "Larger text", "Texte plus grand";
    ZOOM_OUT: "Smaller text", "Texte plus petit";
}

/// A whole number with its thousands apart.
pub fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// `12 408 rows`.
pub fn rows(number: u64) -> String {
    match (language(), number) {
        (Language::En, 1) => "1 row".into(),
        (Language::En, n) => format!("{} rows", count(n)),
        (Language::Fr, n @ 0..=1) => format!("{n} ligne"),
        (Language::Fr, n) => format!("{} lignes", count(n)),
    }
}

/// How many of something there are: `3 problems`.
pub fn several(number: usize, one: Text, many: Text) -> String {
    let singular = number == 1 || (number == 0 && language() == Language::Fr);
    format!("{} {}", count(number as u64), if singular { one.get() } else { many.get() })
}

texts! {
    VALUE_UNLISTED: "value not in the list", "valeur hors de la liste";
    VALUES_UNLISTED: "values not in the list", "valeurs hors de la liste";
    VALUE_UNMAPPED: "value unmapped", "valeur non mappée";
    VALUES_UNMAPPED: "values unmapped", "valeurs non mappées";
    OF_ROWS: "of rows", "des lignes";
    DIFFERENT_ONE: "value", "valeur";
    DIFFERENT: "different", "différentes";
    MANY_DIFFERENT: "over 1 000 different", "plus de 1 000 différentes";
    STEP_ONE: "step", "étape";
    STEP_MANY: "steps", "étapes";
}

/// A number in canonical form (`-1234.50`) as people of the language write it: thousands apart, decimal comma in French.
pub fn number(canonical: &str) -> String {
    let (sign, digits) = canonical.strip_prefix('-').map_or(("", canonical), |rest| ("-", rest));
    if !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return canonical.to_owned();
    }
    let mark = match language() {
        Language::En => '.',
        Language::Fr => ',',
    };
    match digits.split_once('.') {
        Some((whole, places)) => format!("{sign}{}{mark}{places}", grouped(whole)),
        None => format!("{sign}{}", grouped(digits)),
    }
}

/// An amount with at least two decimals.
pub fn amount(number_value: rust_decimal::Decimal) -> String {
    let mut value = number_value.normalize();
    if value.scale() < 2 {
        value.rescale(2);
    }
    number(&value.to_string())
}

fn grouped(digits: &str) -> String {
    let mark = match language() {
        Language::En => ',',
        // A narrow space that does not break.
        Language::Fr => '\u{202f}',
    };
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(mark);
        }
        text.push(digit);
    }
    text
}

/// The name of a parameter or a choice as people read it: `reference_value` → `Reference value`.
pub fn spoken(name: &str) -> String {
    let text = name.replace(['_', '-'], " ");
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_language() {
        speak(Language::En);
        assert_eq!(number("-1234567.50"), "-1,234,567.50");
        assert_eq!(rows(1), "1 row");
        speak(Language::Fr);
        assert_eq!(number("1234.5"), "1\u{202f}234,5");
        assert_eq!(rows(0), "0 ligne");
        assert_eq!(number("2026-09-01"), "2026-09-01");
    }
}
