//! What a workflow holds, and how it is read from text.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::Problem;

/// The version of the format that this program writes.
pub const CURRENT: u32 = 1;

/// A workflow. Unknown fields at each level are kept in `other` and written back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workflow {
    /// The version of the format.
    pub weir: u32,
    /// The name people see.
    #[serde(default)]
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The settings of the workflow as a whole, by name.
    #[serde(default, deserialize_with = "unique", skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Parameter>,
    /// The steps, by id.
    #[serde(default, deserialize_with = "unique")]
    pub nodes: BTreeMap<String, Node>,
    /// The wires. Their order matters to ports that take several.
    #[serde(default)]
    pub edges: Vec<Edge>,
    /// How it is drawn; no part of its meaning.
    #[serde(default)]
    pub layout: Layout,
    /// Fields this program does not know.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// A setting of the workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// What values it takes.
    #[serde(rename = "type")]
    pub kind: ParameterType,
    /// Its value when none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// The name people see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    /// The only values it may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choices: Option<Vec<Value>>,
    /// Fields this program does not know.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// What values a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ParameterType {
    /// Any text.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// An exact number, written as a string.
    Decimal,
    /// A day: `2026-09-30`.
    Date,
    /// A month: `2026-09`.
    Month,
    /// True or false.
    Boolean,
    /// The path of a file.
    File,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// The id of its kind; it may be one this program does not know.
    pub kind: String,
    /// Its parameters.
    #[serde(default)]
    pub params: Map<String, Value>,
    /// The name people see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What people should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Fields this program does not know.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// A wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// The output port it leaves by.
    pub from: PortRef,
    /// The input port it enters by.
    pub to: PortRef,
    /// Fields this program does not know.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// One end of a wire: `node` or `node.port`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRef {
    /// The step's id.
    pub node: String,
    /// The port; none is the first port of the kind.
    pub port: Option<String>,
}

impl fmt::Display for PortRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.port {
            Some(port) => write!(f, "{}.{port}", self.node),
            None => f.write_str(&self.node),
        }
    }
}

impl From<&str> for PortRef {
    fn from(text: &str) -> Self {
        match text.split_once('.') {
            Some((node, port)) => Self { node: node.into(), port: Some(port.into()) },
            None => Self { node: text.into(), port: None },
        }
    }
}

impl Serialize for PortRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PortRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(String::deserialize(deserializer)?.as_str().into())
    }
}

/// How a workflow is drawn.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    /// Where each step stands.
    #[serde(default, deserialize_with = "unique")]
    pub nodes: BTreeMap<String, [f64; 2]>,
    /// Frames around steps.
    #[serde(default)]
    pub groups: Vec<Value>,
    /// Texts on the canvas.
    #[serde(default)]
    pub comments: Vec<Value>,
    /// Fields this program does not know.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// A map whose keys must differ: a second one would silently replace the first.
fn unique<'de, D: Deserializer<'de>, V: Deserialize<'de>>(deserializer: D) -> Result<BTreeMap<String, V>, D::Error> {
    struct Unique<V>(std::marker::PhantomData<V>);
    impl<'de, V: Deserialize<'de>> Visitor<'de> for Unique<V> {
        type Value = BTreeMap<String, V>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some(key) = entries.next_key::<String>()? {
                if map.contains_key(&key) {
                    return Err(A::Error::custom(format!("\"{key}\" appears twice")));
                }
                let value = entries.next_value()?;
                map.insert(key, value);
            }
            Ok(map)
        }
    }
    deserializer.deserialize_map(Unique(std::marker::PhantomData))
}

impl Workflow {
    /// An empty workflow.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            weir: CURRENT,
            name: name.into(),
            description: None,
            parameters: BTreeMap::new(),
            nodes: BTreeMap::new(),
            edges: vec![],
            layout: Layout::default(),
            other: BTreeMap::new(),
        }
    }

    /// Reads a workflow from text. `file` is the name in problems.
    pub fn parse(text: &str, file: &str) -> Result<Self, Vec<Problem>> {
        // The version is looked at first: a newer format may have shapes this program cannot read.
        #[derive(Deserialize)]
        struct Format {
            #[serde(default)]
            weir: Option<u32>,
        }
        if let Ok(Format { weir: Some(version) }) = serde_json::from_str(text)
            && version > CURRENT
        {
            let problem = Problem::error(format!("The workflow has format version {version}; this Weir reads up to {CURRENT}."));
            return Err(vec![problem.in_file(file, None).help("Update Weir, or save the workflow with an older version of it.")]);
        }
        let read = match serde_json::from_str::<Format>(text) {
            Ok(Format { weir: Some(version) }) if version < CURRENT => serde_json::from_str::<Value>(text).and_then(|mut document| {
                super::migrate::migrate(&mut document);
                serde_json::from_value(document)
            }),
            _ => serde_json::from_str(text),
        };
        let workflow: Self = read.map_err(|error| {
            let line = (error.line() > 0).then_some(error.line() as u64);
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default().to_owned();
            let problem = Problem::error(format!("This is not a workflow: {message} (column {}).", error.column())).in_file(file, line);
            vec![problem.help("Correct the file at that place; `weir schema` describes the format.")]
        })?;
        let problems: Vec<Problem> =
            workflow.nodes.keys().filter_map(|id| super::check_id(id).err()).map(|problem| problem.in_file(file, None)).collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(workflow)
    }

    /// Reads a workflow from a file.
    pub fn load(path: &Path) -> Result<Self, Vec<Problem>> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let problem = Problem::error(format!("The workflow cannot be read: {error}.")).in_file(&file, None);
            vec![problem.help("Check its name and its permissions.")]
        })?;
        Self::parse(&text, &file)
    }
}
