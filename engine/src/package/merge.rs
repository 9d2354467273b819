//! Files that changed on both sides since they were the same: workflows setting by setting, everything else line by line.

use weir_nodes::Problem;

use crate::history::{Side, merged};
use crate::workflow::Workflow;

/// What both changed, in words; or the file that has the changes of both.
pub(super) type Merged = Result<Vec<u8>, Vec<String>>;

fn is_workflow(path: &str) -> bool {
    path.starts_with("workflows/") && std::path::Path::new(path).extension().is_some_and(|ending| ending == "json")
}

/// The file that has the changes of both sides.
pub(super) fn merge(path: &str, before: &[u8], ours: &[u8], theirs: &[u8], side: Option<Side>) -> Result<Merged, Problem> {
    let chosen = |side: Side| if side == Side::Ours { ours.to_vec() } else { theirs.to_vec() };
    let texts = (std::str::from_utf8(before), std::str::from_utf8(ours), std::str::from_utf8(theirs));
    let (Ok(before), Ok(ours), Ok(theirs)) = texts else {
        return Ok(side.map(chosen).ok_or_else(|| vec![format!("{path}: both changed it, and it is no text")]));
    };
    if is_workflow(path)
        && let (Ok(before), Ok(mine), Ok(other)) =
            (Workflow::parse(before, path), Workflow::parse(ours, path), Workflow::parse(theirs, path))
    {
        let (workflow, conflicts) = merged(&before, &mine, &other, side)?;
        if side.is_none() && !conflicts.is_empty() {
            return Ok(Err(conflicts.iter().map(|conflict| format!("{path}: {conflict}")).collect()));
        }
        return Ok(Ok(workflow.to_canonical_json()?.into_bytes()));
    }
    match diffy::merge(before, ours, theirs) {
        Ok(text) => Ok(Ok(text.into_bytes())),
        Err(marked) => Ok(side.map(|side| resolved(&marked, side).into_bytes()).ok_or_else(|| conflicts(path, &marked))),
    }
}

const OURS: &str = "<<<<<<< ours";
const BEFORE: &str = "||||||| original";
const BETWEEN: &str = "=======";
const THEIRS: &str = ">>>>>>> theirs";

/// The marked text with one side's lines where both changed the same.
fn resolved(marked: &str, side: Side) -> String {
    let mut text = String::new();
    let mut inside = None;
    for line in marked.split_inclusive('\n') {
        match line.trim_end() {
            OURS => inside = Some(OURS),
            BEFORE => inside = Some(BEFORE),
            BETWEEN if inside.is_some() => inside = Some(THEIRS),
            THEIRS => inside = None,
            _ => {
                let wanted = if side == Side::Ours { OURS } else { THEIRS };
                if inside.is_none_or(|inside| inside == wanted) {
                    text.push_str(line);
                }
            }
        }
    }
    text
}

/// What both changed, in words.
fn conflicts(path: &str, marked: &str) -> Vec<String> {
    let (mut said, mut inside, mut number) = (Vec::new(), None, 0_usize);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let lines = |lines: &[&str]| match lines {
        [] => "removed".to_owned(),
        [one] => format!("\"{one}\""),
        [first, ..] => format!("\"{first}\" and {} more lines", lines.len() - 1),
    };
    for line in marked.lines() {
        match line {
            OURS => inside = Some(OURS),
            BEFORE => inside = Some(BEFORE),
            BETWEEN if inside.is_some() => inside = Some(THEIRS),
            THEIRS => {
                said.push(format!("{path}, line {}: here {}, in the new version {}", number + 1, lines(&ours), lines(&theirs)));
                number += ours.len();
                (ours, theirs, inside) = (vec![], vec![], None);
            }
            line => match inside {
                None => number += 1,
                Some(OURS) => ours.push(line),
                Some(THEIRS) => theirs.push(line),
                Some(_) => {}
            },
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &[u8] = b"Product,Rate\nCRM,0.10\nANA,0.12\nINT,0.08\nSRV,0.05\n";

    fn merge_csv(ours: &[u8], theirs: &[u8], side: Option<Side>) -> Result<String, Vec<String>> {
        let merged = merge("mappings/plans.csv", BEFORE, ours, theirs, side);
        merged.unwrap_or_else(|problem| Err(vec![problem.to_string()])).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    #[test]
    fn lines_of_both_sides_stay() {
        let ours = b"Product,Rate\nCRM,0.11\nANA,0.12\nINT,0.08\nSRV,0.05\n";
        let theirs = b"Product,Rate\nCRM,0.10\nANA,0.12\nINT,0.08\nSRV,0.05\nNEW,0.07\n";
        assert_eq!(merge_csv(ours, theirs, None).as_deref(), Ok("Product,Rate\nCRM,0.11\nANA,0.12\nINT,0.08\nSRV,0.05\nNEW,0.07\n"));
    }

    #[test]
    fn what_both_changed_is_said_in_words_or_chosen() {
        let ours = b"Product,Rate\nCRM,0.11\nANA,0.12\nINT,0.08\nSRV,0.05\n";
        let theirs = b"Product,Rate\nCRM,0.13\nANA,0.12\nINT,0.08\nSRV,0.05\n";
        let said = merge_csv(ours, theirs, None);
        assert_eq!(said, Err(vec!["mappings/plans.csv, line 2: here \"CRM,0.11\", in the new version \"CRM,0.13\"".to_owned()]));
        assert_eq!(merge_csv(ours, theirs, Some(Side::Ours)).as_deref().map(str::as_bytes), Ok(&ours[..]));
        assert_eq!(merge_csv(ours, theirs, Some(Side::Theirs)).as_deref().map(str::as_bytes), Ok(&theirs[..]));
    }
}
