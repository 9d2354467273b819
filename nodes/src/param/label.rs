//! What parameters and their choices are called, in both languages. One word means one thing in every kind.

use crate::kind::Words;

/// The words for the name of a parameter or for one of its choices; `None` for a name that is spoken as it is written.
pub fn label(name: &str) -> Option<Words> {
    LABELS.iter().find(|(known, ..)| *known == name).map(|(_, en, fr)| Words { en, fr })
}

const LABELS: &[(&str, &str, &str)] = &[
    ("allowed", "Allowed", "Tolérées"),
    ("append", "Append", "Ajouter"),
    ("as", "New name", "Nouveau nom"),
    ("average", "Average", "Moyenne"),
    ("bands", "Bands", "Tranches"),
    ("between", "Between", "Entre"),
    ("block", "Block", "Bloquer"),
    ("bom", "Byte order mark", "Marque d’ordre (BOM)"),
    ("by", "By", "Par"),
    ("collisions", "Suffix for equal names", "Suffixe des noms égaux"),
    ("column", "Column", "Colonne"),
    ("columns", "Columns", "Colonnes"),
    ("comment", "Comment lines begin with", "Début des lignes de commentaire"),
    ("compression", "Compression", "Compression"),
    ("condition", "Condition", "Condition"),
    ("count", "Count", "Nombre"),
    ("count_distinct", "Count different", "Nombre de différentes"),
    ("count_rows", "Count rows", "Nombre de lignes"),
    ("credit", "Credit", "Crédit"),
    ("crlf", "CR LF", "CR LF"),
    ("date_format", "Date format", "Format de date"),
    ("date_formats", "Date formats", "Formats de date"),
    ("debit", "Debit", "Débit"),
    ("decimal_mark", "Decimal mark", "Séparateur décimal"),
    ("default", "Default value", "Valeur par défaut"),
    ("defaults", "Default values", "Valeurs par défaut"),
    ("descending", "Largest first", "Décroissant"),
    ("drop", "Leave out", "Retirer"),
    ("empty", "Empty values", "Valeurs vides"),
    ("encoding", "Encoding", "Encodage"),
    ("errors", "Misfits", "Valeurs inadaptées"),
    ("file", "File", "Fichier"),
    ("first", "First", "Première"),
    ("formula", "Formula", "Formule"),
    ("from", "From", "Depuis"),
    ("full", "Full", "Complète"),
    ("function", "Function", "Fonction"),
    ("group_mark", "Thousands mark", "Séparateur de milliers"),
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
    ("lf", "LF", "LF"),
    ("line_ending", "Line ending", "Fin de ligne"),
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
    ("on", "Match on", "Rapprocher sur"),
    ("others", "Other columns", "Autres colonnes"),
    ("pad", "Fill up", "Compléter"),
    ("path", "File", "Fichier"),
    ("pattern", "Pattern", "Motif"),
    ("per", "Per", "Par"),
    ("period", "Period", "Période"),
    ("port", "Send to a port", "Envoyer vers un port"),
    ("position", "Position", "Position"),
    ("prefer", "Prefer", "Préférer"),
    ("priority", "Priority", "Priorité"),
    ("quote", "Quote", "Guillemet"),
    ("ragged", "Uneven rows", "Lignes inégales"),
    ("rate", "Rate", "Taux"),
    ("reference", "Reference column", "Colonne de référence"),
    ("reference_value", "Reference value", "Valeur de référence"),
    ("refuse", "Refuse", "Refuser"),
    ("reject", "Send to rejects", "Envoyer aux rejets"),
    ("replace_period", "Replace by period", "Remplacer par période"),
    ("right", "Right", "Droite"),
    ("round", "Round to", "Arrondir à"),
    ("rows", "Rows", "Lignes"),
    ("rule", "Rule", "Règle"),
    ("rules", "Rules", "Règles"),
    ("separator", "Separator", "Séparateur"),
    ("severity", "If it fails", "En cas d’échec"),
    ("sheet", "Sheet", "Feuille"),
    ("skip_lines", "Skip lines", "Lignes à ignorer"),
    ("snappy", "Snappy", "Snappy"),
    ("start", "Start", "Début"),
    ("stdev", "Standard deviation", "Écart type"),
    ("sum", "Sum", "Somme"),
    ("table", "Table", "Table"),
    ("take", "Fetch", "Rapporter"),
    ("to", "To", "Vers"),
    ("tolerance", "Tolerance", "Tolérance"),
    ("trim", "Trim spaces", "Retirer les espaces"),
    ("true", "Formula is true", "Formule vraie"),
    ("type", "Type", "Type"),
    ("unique", "Unique", "Unique"),
    ("unmapped", "Unmapped", "Non mappées"),
    ("up_to", "Up to", "Jusqu’à"),
    ("upsert", "Update or insert", "Mettre à jour ou insérer"),
    ("value", "Value", "Valeur"),
    ("values", "Values", "Valeurs"),
    ("variance", "Variance", "Variance"),
    ("warn", "Warn", "Avertir"),
    ("where", "Where", "Où"),
    ("whole", "Whole amount", "Montant entier"),
    ("zstd", "Zstandard", "Zstandard"),
];

#[cfg(test)]
mod tests {
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
        for kind in crate::registry::registry() {
            let mut found = Vec::new();
            names(&kind.schema, &mut found);
            for name in found {
                assert!(label(&name).is_some(), "{}: no words for {name}", kind.identity.id);
            }
        }
    }
}
