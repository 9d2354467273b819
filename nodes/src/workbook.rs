//! What lies inside an .xlsx file and its readers do not tell: which part is a sheet, and which rows are hidden.

use std::collections::BTreeSet;
use std::io::{Read, Seek};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

/// The workbook's list of sheets and names.
pub(crate) const WORKBOOK: &str = "xl/workbook.xml";
/// The largest part that is read.
const LARGEST: u64 = 1 << 30;

/// A part of the file as text.
pub(crate) fn part(archive: &mut ZipArchive<impl Read + Seek>, name: &str) -> Result<String, String> {
    let mut text = String::new();
    let entry = archive.by_name(name).map_err(|error| format!("it has no \"{name}\": {error}"))?;
    entry.take(LARGEST).read_to_string(&mut text).map_err(|error| error.to_string())?;
    Ok(text)
}

/// The value of an attribute.
pub(crate) fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.attributes().flatten().find(|attribute| attribute.key.as_ref() == name)?;
    let text = attribute.value.into_owned();
    Some(quick_xml::escape::unescape(&text).map_or_else(|_| text.clone(), std::borrow::Cow::into_owned))
}

/// The part that is a sheet, such as `xl/worksheets/sheet1.xml`.
pub(crate) fn sheet_part(archive: &mut ZipArchive<impl Read + Seek>, sheet: &str) -> Result<String, String> {
    let workbook = part(archive, WORKBOOK)?;
    let mut sheets = Vec::new();
    elements(&workbook, |element| {
        if element.local_name().as_ref() == "sheet" {
            sheets.push((attribute(element, "name").unwrap_or_default(), attribute(element, "r:id")));
        }
    })?;
    let Some((_, id)) = sheets.iter().find(|(name, _)| name == sheet) else {
        let names: Vec<&str> = sheets.iter().map(|(name, _)| name.as_str()).collect();
        return Err(format!("there is no sheet \"{sheet}\"; its sheets are {}", names.join(", ")));
    };
    let relations = part(archive, "xl/_rels/workbook.xml.rels")?;
    let mut found = None;
    elements(&relations, |element| {
        if id.is_some() && attribute(element, "Id") == *id {
            found = attribute(element, "Target");
        }
    })?;
    let target = found.ok_or_else(|| format!("the sheet \"{sheet}\" has no part"))?;
    Ok(target.strip_prefix('/').map_or_else(|| format!("xl/{target}"), str::to_owned))
}

/// Calls `each` with every element.
fn elements(text: &str, mut each: impl FnMut(&BytesStart<'_>)) -> Result<(), String> {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(element) | Event::Empty(element) => each(&element),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// The rows of a sheet that are hidden, by a person or by a filter, counted from 1.
pub(crate) fn hidden_rows(file: impl Read + Seek, sheet: &str) -> Result<BTreeSet<u32>, String> {
    let mut archive = ZipArchive::new(file).map_err(|_| "only .xlsx workbooks say which rows are hidden")?;
    let name = sheet_part(&mut archive, sheet)?;
    let mut hidden = BTreeSet::new();
    elements(&part(&mut archive, &name)?, |element| {
        if element.local_name().as_ref() == "row" && attribute(element, "hidden").is_some_and(|value| value == "1" || value == "true") {
            hidden.extend(attribute(element, "r").and_then(|row| row.parse::<u32>().ok()));
        }
    })?;
    Ok(hidden)
}
