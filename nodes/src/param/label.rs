//! What parameters and their choices are called, in both languages. One word means one thing in every kind.

use crate::kind::Words;

/// The words for the name of a parameter or for one of its choices; `None` for a name that is spoken as it is written.
pub fn label(name: &str) -> Option<Words> {
    LABELS.iter().find(|(known, ..)| *known == name).map(|(_, en, fr)| Words { en, fr })
}

const LABELS: &[(&str, &str, &str)] = &[
    ("accents", "Accents", "Accents"),
    ("all", "All", "Toutes"),
    ("all_but_digits", "All but digits", "Tout sauf les chiffres"),
    ("all_but_letters", "All but letters", "Tout sauf les lettres"),
    ("allowed", "Allowed", "Tolérées"),
    ("any", "Any", "N’importe laquelle"),
    ("append", "Append", "Ajouter"),
    ("arrival", "By arrival", "Par ordre d’arrivée"),
    ("as", "New name", "Nouveau nom"),
    ("average", "Average", "Moyenne"),
    ("bands", "Bands", "Tranches"),
    ("between", "Between", "Entre"),
    ("blank_texts", "Spaces count as empty", "Espaces comptés vides"),
    ("block", "Block", "Bloquer"),
    ("bom", "Byte order mark", "Marque d’ordre (BOM)"),
    ("bucket", "Band", "Tranche"),
    ("by", "By", "Par"),
    ("case", "Capitals", "Casse"),
    ("class", "Class column", "Colonne de classe"),
    ("classes", "Classes", "Classes"),
    ("collisions", "Suffix for equal names", "Suffixe des noms égaux"),
    ("column", "Column", "Colonne"),
    ("columns", "Columns", "Colonnes"),
    ("comment", "Comment lines begin with", "Début des lignes de commentaire"),
    ("compression", "Compression", "Compression"),
    ("condition", "Condition", "Condition"),
    ("control", "Control characters", "Caractères de contrôle"),
    ("count", "Count", "Nombre"),
    ("count_distinct", "Count different", "Nombre de différentes"),
    ("count_rows", "Count rows", "Nombre de lignes"),
    ("credit", "Credit", "Crédit"),
    ("crlf", "CR LF", "CR LF"),
    ("cumulative", "Cumulative column", "Colonne cumulée"),
    ("date_format", "Date format", "Format de date"),
    ("date_formats", "Date formats", "Formats de date"),
    ("debit", "Debit", "Débit"),
    ("decimal_mark", "Decimal mark", "Séparateur décimal"),
    ("default", "Default value", "Valeur par défaut"),
    ("defaults", "Default values", "Valeurs par défaut"),
    ("dense", "Without gaps", "Sans trous"),
    ("descending", "Largest first", "Décroissant"),
    ("digits", "Digits", "Chiffres"),
    ("down", "From above", "Par le haut"),
    ("drop", "Leave out", "Retirer"),
    ("empty", "Empty values", "Valeurs vides"),
    ("encoding", "Encoding", "Encodage"),
    ("errors", "Misfits", "Valeurs inadaptées"),
    ("every", "Every nth", "Une sur n"),
    ("figures", "Figures", "Calculs"),
    ("file", "File", "Fichier"),
    ("find", "Find", "Rechercher"),
    ("first", "First", "Première"),
    ("first_row", "Names in the first row", "Noms de la première ligne"),
    ("formula", "Formula", "Formule"),
    ("from", "From", "Depuis"),
    ("full", "Full", "Complète"),
    ("function", "Function", "Fonction"),
    ("gap", "With gaps", "Avec trous"),
    ("group_mark", "Thousands mark", "Séparateur de milliers"),
    ("growth", "Growth column", "Colonne de croissance"),
    ("hash", "Digest", "Empreinte"),
    ("header", "Header row", "Ligne d’en-tête"),
    ("header_row", "Header row", "Ligne d’en-tête"),
    ("how", "How", "Mode"),
    ("ignore_case", "Ignore capitals", "Ignorer la casse"),
    ("in", "In the table", "Dans la table"),
    ("in_set", "One of", "Parmi"),
    ("info", "Note", "Information"),
    ("inner", "Matching rows", "Lignes communes"),
    ("keep", "Keep", "Garder"),
    ("keep_blank_rows", "Keep blank rows", "Garder les lignes vides"),
    ("keys", "Keys", "Clés"),
    ("last", "Last", "Dernière"),
    ("left", "Left", "Gauche"),
    ("letters", "Letters", "Lettres"),
    ("lf", "LF", "LF"),
    ("line_ending", "Line ending", "Fin de ligne"),
    ("lower", "Small letters", "Minuscules"),
    ("marginal", "Marginal", "Par tranche"),
    ("matches", "Matches", "Correspond à"),
    ("max", "Most", "Maximum"),
    ("measures", "Measures", "Mesures"),
    ("median", "Median", "Médiane"),
    ("message", "Message", "Message"),
    ("min", "Least", "Minimum"),
    ("missing", "When missing", "Si absente"),
    ("mode", "Mode", "Mode"),
    ("name", "Name", "Nom"),
    ("none", "None", "Aucun"),
    ("not_empty", "Not empty", "Non vide"),
    ("null_texts", "Texts for empty", "Textes signifiant vide"),
    ("nulls_match", "Empty values match", "Les vides correspondent"),
    ("offset", "Rows away", "Décalage"),
    ("on", "Match on", "Rapprocher sur"),
    ("others", "Other columns", "Autres colonnes"),
    ("pad", "Fill up", "Compléter"),
    ("part", "A part", "Une partie"),
    ("partial", "Last characters", "Derniers caractères"),
    ("path", "File", "Fichier"),
    ("pattern", "Pattern", "Motif"),
    ("per", "Per", "Par"),
    ("percent", "Percent", "Pour cent"),
    ("period", "Period", "Période"),
    ("port", "Send to a port", "Envoyer vers un port"),
    ("position", "Position", "Position"),
    ("prefer", "Prefer", "Préférer"),
    ("priority", "Priority", "Priorité"),
    ("punctuation", "Punctuation", "Ponctuation"),
    ("quote", "Quote", "Guillemet"),
    ("ragged", "Uneven rows", "Lignes inégales"),
    ("random", "Random", "Au hasard"),
    ("random_percent", "Random percent", "Pour cent au hasard"),
    ("rate", "Rate", "Taux"),
    ("reference", "Reference column", "Colonne de référence"),
    ("reference_value", "Reference value", "Valeur de référence"),
    ("refuse", "Refuse", "Refuser"),
    ("regex", "Regular expression", "Expression régulière"),
    ("reject", "Send to rejects", "Envoyer aux rejets"),
    ("remove", "Take out", "Enlever"),
    ("rename", "Rename", "Renommer"),
    ("replace_period", "Replace by period", "Remplacer par période"),
    ("replacements", "Replacements", "Remplacements"),
    ("right", "Right", "Droite"),
    ("round", "Round to", "Arrondir à"),
    ("rows", "Rows", "Lignes"),
    ("rule", "Rule", "Règle"),
    ("rules", "Rules", "Règles"),
    ("salt", "Salt", "Sel"),
    ("seed", "Seed", "Graine"),
    ("separator", "Separator", "Séparateur"),
    ("severity", "If it fails", "En cas d’échec"),
    ("sheet", "Sheet", "Feuille"),
    ("single_spaces", "Single spaces inside", "Espaces simples"),
    ("size", "How many", "Combien"),
    ("skip", "All but the first", "Sauf les premières"),
    ("skip_lines", "Skip lines", "Lignes à ignorer"),
    ("snake", "snake_case", "snake_case"),
    ("snappy", "Snappy", "Snappy"),
    ("spaces", "Spaces", "Espaces"),
    ("start", "Start", "Début"),
    ("stdev", "Standard deviation", "Écart type"),
    ("sum", "Sum", "Somme"),
    ("table", "Table", "Table"),
    ("take", "Fetch", "Rapporter"),
    ("tidy", "Tidy names", "Mise au propre"),
    ("ties", "Equal rows", "Ex æquo"),
    ("title", "Words with a capital", "Initiales en capitales"),
    ("to", "To", "Vers"),
    ("to_null", "Empty texts become empty values", "Textes vides en valeurs vides"),
    ("to_text", "Empty values become empty texts", "Valeurs vides en textes vides"),
    ("tolerance", "Tolerance", "Tolérance"),
    ("top", "Top", "Premières"),
    ("trim", "Trim spaces", "Retirer les espaces"),
    ("true", "Formula is true", "Formule vraie"),
    ("type", "Type", "Type"),
    ("unique", "Unique", "Unique"),
    ("unmapped", "Unmapped", "Non mappées"),
    ("up", "From below", "Par le bas"),
    ("up_to", "Up to", "Jusqu’à"),
    ("upper", "Capitals", "Majuscules"),
    ("upsert", "Update or insert", "Mettre à jour ou insérer"),
    ("value", "Value", "Valeur"),
    ("values", "Values", "Valeurs"),
    ("variance", "Variance", "Variance"),
    ("warn", "Warn", "Avertir"),
    ("where", "Where", "Où"),
    ("whole", "Whole amount", "Montant entier"),
    ("with", "With", "Par"),
    ("zstd", "Zstandard", "Zstandard"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::label;
    use serde_json::Value;

    fn names(schema: &Value, found: &mut Vec<String>) {
        match schema {
            Value::Object(map) => {
                found.extend(map.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.clone()));
                found.extend(map.get("const").and_then(Value::as_str).map(String::from));
                map.values().for_each(|inner| names(inner, found));
            }
            Value::Array(items) => items.iter().for_each(|inner| names(inner, found)),
            _ => {}
        }
    }

    #[test]
    fn every_parameter_and_choice_has_words_in_both_languages() {
        let mut missing = BTreeSet::new();
        for kind in crate::registry::registry() {
            let mut found = Vec::new();
            names(&kind.schema, &mut found);
            for name in found {
                if label(&name).is_none() {
                    missing.insert(format!("{name} ({})", kind.identity.id));
                }
            }
        }
        assert!(missing.is_empty(), "no words for {missing:?}");
    }
}
