//! `input.xml`: the repeated elements of a document, a row each.

use std::sync::Arc;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::texts::{Cell, Rows as Table, TypedColumn};
use crate::param::FilePath;
use crate::prelude::*;
use crate::source::{MemorySource, scan};

/// Reads an XML file: each of the elements that repeat becomes a row.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct XmlInput {
    /// The file.
    pub path: FilePath,
    /// The element that repeats: its name, or the way to it such as `invoices/invoice/line`. Its attributes and inner
    /// elements become columns, and those of the elements around it too. The one that repeats most unless given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub repeat: String,
    /// Types given by hand; the other columns' types are found out.
    #[serde(default)]
    pub columns: Vec<TypedColumn>,
}

impl NodeKind for XmlInput {
    fn identity() -> Identity {
        Identity {
            id: "input.xml",
            version: 1,
            category: Category::Input,
            icon: "code",
            title: Words { en: "XML file", fr: "Fichier XML" },
            summary: Words {
                en: "Reads XML: each repeated element is a row, its attributes and inner elements are columns.",
                fr: "Lit du XML : chaque élément répété est une ligne, ses attributs et éléments internes des colonnes.",
            },
            synonyms: &["xpath", "input data", "import", "xml reader", "camt", "ubl", "facturx"],
            order: Words { en: "As in the file.", fr: "Celui du fichier." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::source()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let path = cx.source_file(&self.path.0, "path")?;
        let shown = self.path.0.clone();
        let mut notes = Vec::new();
        let read = super::json::text(&path).map_err(|what| vec![Problem::error(what).on("path").in_file(&shown, None)]);
        let table = read.and_then(|text| self.table(&text, &mut notes));
        notes.into_iter().for_each(|note| cx.problem(note));
        match table {
            Ok((batch, repeat)) => {
                let node = cx.node().to_owned();
                let table = cx.planned(scan(&node, Arc::new(MemorySource::counted(batch)), format!("{shown} row")))?;
                Some(Planned { found: vec![("repeat", repeat)], ..Planned::table(table) })
            }
            Err(problems) => {
                problems.into_iter().for_each(|problem| cx.problem(problem));
                None
            }
        }
    }

    fn examples() -> Vec<Example> {
        let invoices = r#"<?xml version="1.0"?>
<invoices><invoice no="7"><customer><name>Zoë &amp; Fils</name></customer>
<line sku="A"><amount>1.10</amount></line><line sku="B"><amount>2.25</amount></line></invoice>
<invoice no="8"><customer><name>Bob</name></customer></invoice></invoices>"#;
        vec![
            Example::new("The element that repeats most is a row: each line.", json!({ "path": "a.xml" }))
                .file("a.xml", "<x><l n=\"1\"/><l n=\"2\"/></x>")
                .output("out", "n:integer\n1\n2"),
            Example::new(
                "Each invoice is a row; a repeated inner element gives its first one.",
                json!({ "path": "a.xml", "repeat": "invoice" }),
            )
            .file("a.xml", invoices)
            .output("out", "no:integer,customer/name,line/sku,line/amount:decimal(2)\n7,Zoë & Fils,A,1.10\n8,Bob,,"),
            Example::new("Each line is a row, with what stands around it.", json!({ "path": "a.xml", "repeat": "invoice/line" }))
                .file("a.xml", invoices)
                .output("out", "invoice/no:integer,invoice/customer/name,sku,amount:decimal(2)\n7,Zoë & Fils,A,1.10\n7,Zoë & Fils,B,2.25"),
            Example::new("Types given by hand.", json!({ "path": "a.xml", "repeat": "r", "columns": [{ "name": "n", "type": "text" }] }))
                .file("a.xml", "<x><r><n>1</n><b/></r></x>")
                .output("out", "n,b\n1,"),
            Example::new("A document that does not close is named with its line.", json!({ "path": "a.xml", "repeat": "a" }))
                .file("a.xml", "<x>\n<a>1</b></x>")
                .refused("a.xml:2"),
        ]
    }
}

/// How deep elements may be nested.
const DEPTH: usize = 256;

/// An element.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Element>,
}

impl XmlInput {
    fn table(&self, text: &str, notes: &mut Vec<Problem>) -> Result<(arrow::array::RecordBatch, String), Vec<Problem>> {
        let file = &self.path.0;
        let root = document(text).map_err(|(what, at)| {
            let line = text.get(..at).map_or(1, |before| before.matches('\n').count() + 1);
            let what = format!("This is not XML: {what}.");
            vec![Problem::error(what).on("path").in_file(file, Some(line as u64)).help("Correct the file, or export it again.")]
        })?;
        let repeat = if self.repeat.is_empty() { most_repeated(&root) } else { self.repeat.clone() };
        let way: Vec<&str> = repeat.split('/').filter(|part| !part.is_empty()).collect();
        let mut table = Table::default();
        let mut around = Vec::new();
        add(&root, &way, &mut around, &mut table);
        let batch = table.table(&self.columns, file, notes)?;
        if batch.num_columns() == 0 {
            let what = format!("There is no element \"{repeat}\".");
            return Err(vec![Problem::error(what).on("repeat").in_file(file, None).help(format!("The document is a \"{}\".", root.name))]);
        }
        Ok((batch, repeat))
    }
}

/// The name of the element that comes most often beside others of its name; the root's where none does.
fn most_repeated(root: &Element) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    let mut waiting = vec![root];
    while let Some(element) = waiting.pop() {
        for child in &element.children {
            let siblings = element.children.iter().filter(|other| other.name == child.name).count();
            if siblings > 1 && !child.children.is_empty() | !child.attributes.is_empty() {
                match counts.iter_mut().find(|(name, _)| *name == child.name) {
                    Some((_, count)) => *count += 1,
                    None => counts.push((&child.name, 1)),
                }
            }
        }
        waiting.extend(element.children.iter().rev());
    }
    let most = counts.iter().map(|(_, count)| *count).max();
    counts.iter().find(|(_, count)| Some(*count) == most).map_or_else(|| root.name.clone(), |(name, _)| (*name).to_owned())
}

/// Adds a row for each element that the way leads to.
fn add<'a>(element: &'a Element, way: &[&str], around: &mut Vec<&'a Element>, table: &mut Table) {
    around.push(element);
    let fits = around.len() >= way.len() && around[around.len() - way.len()..].iter().zip(way).all(|(one, name)| one.name == *name);
    if fits {
        table.start();
        for (i, outer) in around[..around.len() - 1].iter().enumerate().skip(1) {
            let way: Vec<&str> = around[1..=i].iter().map(|one| one.name.as_str()).collect();
            let prefix = format!("{}/", way.join("/"));
            let inner = around[i + 1];
            outer.attributes.iter().for_each(|(name, value)| table.put(&format!("{prefix}{name}"), Cell::Plain(value.clone())));
            for child in outer.children.iter().filter(|child| child.name != inner.name) {
                fields(child, &format!("{prefix}{}", child.name), table, &mut Vec::new());
            }
        }
        fields(element, "", table, &mut Vec::new());
    } else {
        element.children.iter().for_each(|child| add(child, way, around, table));
    }
    around.pop();
}

/// Puts the attributes and inner elements of an element into the row, the first of those that repeat.
fn fields(element: &Element, name: &str, table: &mut Table, seen: &mut Vec<String>) {
    let join = |part: &str| if name.is_empty() { part.to_owned() } else { format!("{name}/{part}") };
    let mut put = |name: String, text: &str| {
        if seen.contains(&name) {
            return;
        }
        if text.trim().is_empty() {
            table.column(&name);
        } else {
            table.put(&name, Cell::Plain(text.trim().to_owned()));
        }
        seen.push(name);
    };
    element.attributes.iter().for_each(|(part, value)| put(join(part), value));
    if element.children.is_empty() && (!element.text.trim().is_empty() || element.attributes.is_empty()) {
        put(if name.is_empty() { element.name.clone() } else { name.to_owned() }, &element.text);
    }
    element.children.iter().for_each(|child| fields(child, &join(&child.name), table, seen));
}

/// The document as a tree. The error says what is wrong, and at which byte.
fn document(text: &str) -> Result<Element, (String, usize)> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = vec![Element::default()];
    loop {
        let at = reader.buffer_position() as usize;
        let broken = |what: String| (what, at);
        let name = |name: quick_xml::name::QName<'_>| name.local_name().as_ref().to_owned();
        match reader.read_event().map_err(|error| broken(error.to_string()))? {
            Event::Start(start) => {
                if open.len() > DEPTH {
                    return Err(broken(format!("elements are nested more than {DEPTH} deep")));
                }
                open.push(Element { name: name(start.name()), attributes: attributes(&start).map_err(broken)?, ..Element::default() });
            }
            Event::Empty(start) => {
                let element = Element { name: name(start.name()), attributes: attributes(&start).map_err(broken)?, ..Element::default() };
                if let Some(parent) = open.last_mut() {
                    parent.children.push(element);
                }
            }
            Event::End(_) => {
                if let Some((element, parent)) = open.pop().and_then(|element| Some((element, open.last_mut()?))) {
                    parent.children.push(element);
                }
            }
            Event::Text(text) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&text);
                }
            }
            Event::CData(data) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&data);
                }
            }
            Event::GeneralRef(reference) => {
                let text =
                    quick_xml::escape::unescape(&format!("&{};", &*reference)).map_err(|error| broken(error.to_string()))?.into_owned();
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&text);
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    if open.len() > 1 {
        return Err((format!("\"{}\" is not closed", open.last().map_or("", |element| element.name.as_str())), text.len()));
    }
    let root = open.pop().and_then(|mut top| top.children.pop());
    root.ok_or_else(|| ("it has no element".to_owned(), 0))
}

fn attributes(start: &quick_xml::events::BytesStart<'_>) -> Result<Vec<(String, String)>, String> {
    start
        .attributes()
        .map(|attribute| {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let name = attribute.key.as_ref().to_owned();
            let value = quick_xml::escape::unescape(&attribute.value).map_err(|error| error.to_string())?.into_owned();
            Ok((name, value))
        })
        .filter(|attribute| !matches!(attribute, Ok((name, _)) if name.starts_with("xmlns")))
        .collect()
}
