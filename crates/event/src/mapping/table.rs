//! Renaming by a table: where in a source's record each field of ours stands. The JSON reader follows it while it reads,
//! so that no document is made twice.

use std::collections::BTreeMap;

use crate::field::Field;

/// The keys that lead to a value, from the outermost object inwards. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(Vec<String>);

impl Path {
    /// How deep a path may reach.
    pub const MAX_KEYS: usize = 32;

    /// A path of these keys; `None` for none, too many or an empty one.
    pub fn new(keys: Vec<String>) -> Option<Self> {
        let is_good =
            (1..=Self::MAX_KEYS).contains(&keys.len()) && keys.iter().all(|key| !key.is_empty());
        is_good.then_some(Self(keys))
    }
}

/// As it is written in a table: keys with dots between.
impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// Where a field's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldSource {
    /// A place in the record.
    Path(Path),
    /// Always this value, as JSON text.
    Constant(String),
    /// Nowhere: the field is absent, whatever the record says under its name.
    Unread,
}

/// Where fields and labels come from. A field that it does not name comes from the key of its own name.
#[derive(Clone, Debug)]
pub struct Table {
    fields: BTreeMap<Field, FieldSource>,
    labels: BTreeMap<String, Path>,
    root: Node,
}

/// A value's place in the reader's result: a field's position, or behind those a label's.
pub(crate) type Slot = usize;

/// What to do with the keys of one object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    /// Sorted by the length of the key, so that a key is compared with those of its length only.
    entries: Vec<Entry>,
    /// By length: where the entries of keys of that length or a greater one begin.
    starts: Vec<usize>,
}

/// What to do with one key's value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    key: String,
    /// The slots that take the value as a whole.
    pub(crate) slots: Vec<Slot>,
    /// What to do with the value's own keys, if anything.
    pub(crate) child: Option<Node>,
}

impl Table {
    /// Fields from their sources, and labels from their paths.
    pub fn new(
        fields: impl IntoIterator<Item = (Field, FieldSource)>,
        labels: impl IntoIterator<Item = (String, Path)>,
    ) -> Self {
        let fields: BTreeMap<_, _> = fields.into_iter().collect();
        let labels: BTreeMap<_, _> = labels.into_iter().collect();
        let mut root = Node::default();
        for field in Field::all() {
            match fields.get(&field) {
                None => root.add(&[field.name().to_owned()], field.position()),
                Some(FieldSource::Path(path)) => root.add(&path.0, field.position()),
                Some(FieldSource::Constant(_) | FieldSource::Unread) => {}
            }
        }
        for (position, path) in labels.values().enumerate() {
            root.add(&path.0, Field::COUNT + position);
        }
        root.index();
        Self {
            fields,
            labels,
            root,
        }
    }

    pub(crate) fn root(&self) -> &Node {
        &self.root
    }

    /// Names of the labels, in the order of their slots.
    pub(crate) fn labels(&self) -> impl ExactSizeIterator<Item = &str> {
        self.labels.keys().map(String::as_str)
    }

    pub(crate) fn constants(&self) -> impl Iterator<Item = (Field, &str)> {
        self.fields.iter().filter_map(|(field, from)| match from {
            FieldSource::Path(_) | FieldSource::Unread => None,
            FieldSource::Constant(json) => Some((*field, json.as_str())),
        })
    }

    /// Where the table says that a field stands.
    pub(crate) fn path(&self, field: Field) -> Option<&Path> {
        match self.fields.get(&field)? {
            FieldSource::Path(path) => Some(path),
            FieldSource::Constant(_) | FieldSource::Unread => None,
        }
    }
}

impl Node {
    /// What to do with a key's value; `None` is nothing.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        let from = *self.starts.get(key.len())?;
        let to = self.starts.get(key.len() + 1);
        let to = to.map_or(self.entries.len(), |to| *to);
        self.entries
            .get(from..to)?
            .iter()
            .find(|entry| entry.key == key)
    }

    /// Every slot that this object's keys or theirs fill.
    pub(crate) fn slots(&self, take: &mut impl FnMut(Slot)) {
        for entry in &self.entries {
            entry.slots.iter().for_each(|slot| take(*slot));
            if let Some(child) = &entry.child {
                child.slots(take);
            }
        }
    }

    fn add(&mut self, path: &[String], slot: Slot) {
        let Some((key, rest)) = path.split_first() else {
            return;
        };
        let known = self.entries.iter().position(|entry| entry.key == *key);
        let position = known.unwrap_or_else(|| {
            self.entries.push(Entry {
                key: key.clone(),
                slots: Vec::new(),
                child: None,
            });
            self.entries.len() - 1
        });
        let entry = &mut self.entries[position];
        if rest.is_empty() {
            entry.slots.push(slot);
        } else {
            entry.child.get_or_insert_default().add(rest, slot);
        }
    }

    /// Brings the entries into the order that [`Self::entry`] needs.
    fn index(&mut self) {
        self.entries.sort_by_key(|entry| entry.key.len());
        let longest = self.entries.last().map_or(0, |entry| entry.key.len());
        self.starts = (0..=longest)
            .map(|length| {
                self.entries
                    .partition_point(|entry| entry.key.len() < length)
            })
            .collect();
        for entry in &mut self.entries {
            if let Some(child) = &mut entry.child {
                child.index();
            }
        }
    }
}
