//! A set of paths as a tree, and what it leaves of a document.

use std::collections::HashMap;

use super::path;
use crate::json::Json;

/// The elements of an array that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slice {
    /// The first, or with a negative number the last ones.
    Count(i64),
    /// So many after so many; a negative start counts from the end.
    Range(i64, i64),
}

impl Slice {
    fn apply(self, value: &mut Json) {
        let Json::Array(values) = value else {
            return;
        };
        let length = values.len();
        let size = |number: i64| usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
        let (start, count) = match self {
            Slice::Count(count) if count >= 0 => (0, size(count)),
            Slice::Count(count) => (length.saturating_sub(size(count)), length),
            Slice::Range(start, count) if start >= 0 => (size(start).min(length), size(count)),
            Slice::Range(start, count) => (length.saturating_sub(size(start)), size(count)),
        };
        values.drain(..start);
        values.truncate(count);
    }
}

/// A node of the tree.
#[derive(Debug)]
pub struct Layer {
    path: String,
    kind: LayerKind,
}

#[derive(Debug)]
enum LayerKind {
    /// The path ends here.
    End(Option<Slice>),
    Branch(HashMap<String, Layer>),
}

impl Layer {
    /// The tree of no paths.
    pub fn root() -> Layer {
        Layer {
            path: String::new(),
            kind: LayerKind::Branch(HashMap::new()),
        }
    }

    /// The tree of indexed paths, where one path may be below another.
    pub fn of_indexing<'a>(paths: impl Iterator<Item = &'a str>) -> Layer {
        let mut root = Layer::root();
        for path in paths {
            let Ok(segments) = path::segments(path) else {
                continue;
            };
            let mut layer = &mut root;
            let mut segments = segments.into_iter().peekable();
            while let Some(segment) = segments.next() {
                let LayerKind::Branch(next) = &mut layer.kind else {
                    break;
                };
                let is_last = segments.peek().is_none();
                let entry = next.entry(segment).or_insert_with(Layer::root);
                if is_last {
                    entry.kind = LayerKind::End(None);
                }
                layer = entry;
            }
        }
        root
    }

    /// Adds a path, or a slice of an array.
    ///
    /// # Errors
    /// The reason, for a path that is not valid, and for one that is a part of another.
    pub fn add(&mut self, path: &str, slice: Option<Slice>) -> Result<(), String> {
        let segments = path::segments(path).map_err(|reason| {
            format!("projection path ('{path}') is not a valid path: {reason}")
        })?;
        let conflict = |other: &str| {
            Err(format!(
                "projection path conflict between '{path}' and '{other}'"
            ))
        };
        let mut layer = self;
        let mut segments = segments.into_iter().peekable();
        while let Some(segment) = segments.next() {
            let LayerKind::Branch(next) = &mut layer.kind else {
                return conflict(&layer.path);
            };
            if segments.peek().is_none() {
                if let Some(other) = next.get(&segment) {
                    return conflict(&other.path);
                }
                let end = Layer {
                    path: path.to_owned(),
                    kind: LayerKind::End(slice),
                };
                next.insert(segment, end);
                return Ok(());
            }
            layer = next.entry(segment).or_insert_with(|| Layer {
                path: path.to_owned(),
                kind: LayerKind::Branch(HashMap::new()),
            });
        }
        Ok(())
    }

    /// Returns true if a path is in the tree, or below one that is.
    pub fn covers(&self, segments: &[String]) -> bool {
        match (&self.kind, segments.split_first()) {
            (LayerKind::End(_), _) => true,
            (LayerKind::Branch(_), None) => false,
            (LayerKind::Branch(next), Some((segment, rest))) => {
                next.get(segment).is_some_and(|layer| layer.covers(rest))
            }
        }
    }

    /// Returns true if any path begins with this member.
    pub fn has(&self, member: &str) -> bool {
        matches!(&self.kind, LayerKind::Branch(next) if next.contains_key(member))
    }

    /// Returns true if this member is a path of its own, without a slice.
    pub fn ends_at(&self, member: &str) -> bool {
        let LayerKind::Branch(next) = &self.kind else {
            return false;
        };
        matches!(
            next.get(member),
            Some(Layer {
                kind: LayerKind::End(None),
                ..
            })
        )
    }

    /// Keeps only the paths of the tree.
    pub fn include(&self, value: &mut Json) {
        let LayerKind::Branch(next) = &self.kind else {
            return;
        };
        match value {
            Json::Array(values) => values.iter_mut().for_each(|value| self.include(value)),
            Json::Object(members) => members.retain(|name, value| {
                let Some(layer) = next.get(name) else {
                    return false;
                };
                match &layer.kind {
                    LayerKind::End(None) => {}
                    LayerKind::End(Some(slice)) => slice.apply(value),
                    LayerKind::Branch(_) => layer.include(value),
                }
                true
            }),
            _ => {}
        }
    }

    /// Removes the paths of the tree; arrays with a slice are cut.
    pub fn exclude(&self, value: &mut Json) {
        let LayerKind::Branch(next) = &self.kind else {
            return;
        };
        match value {
            Json::Array(values) => values.iter_mut().for_each(|value| self.exclude(value)),
            Json::Object(members) => {
                members.retain(|name, value| {
                    match next.get(name).map(|layer| (layer, &layer.kind)) {
                        None => true,
                        Some((_, LayerKind::End(None))) => false,
                        Some((_, LayerKind::End(Some(slice)))) => {
                            slice.apply(value);
                            true
                        }
                        Some((layer, LayerKind::Branch(_))) => {
                            layer.exclude(value);
                            true
                        }
                    }
                });
            }
            _ => {}
        }
    }
}
