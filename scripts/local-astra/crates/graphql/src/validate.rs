//! Validation of a document by apollo-compiler and by own rules, with the number of errors that graphql-java reports.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use apollo_compiler::ast::{self, Argument, Value as Literal};
use apollo_compiler::diagnostic::ToCliReport;
use apollo_compiler::executable::{Field, Selection, SelectionSet};
use apollo_compiler::parser::{SourceMap, SourceSpan};
use apollo_compiler::response::GraphQLError;
use apollo_compiler::validation::{DiagnosticList, Valid};
use apollo_compiler::{ExecutableDocument, Name, Node, Schema};

use super::literals::{self, Variables};

/// A position in the text in bytes. Computing lines and columns is slow for a long text.
type Place = usize;

/// Validates a document against a schema. `errors` contains those found before.
///
/// # Errors
/// All errors of the document.
pub fn validate(
    schema: &Valid<Schema>,
    parsed: &ast::Document,
    mut errors: Vec<GraphQLError>,
) -> Result<Valid<ExecutableDocument>, Vec<GraphQLError>> {
    // In two steps, because the second one has to know what is missing in the document after the first.
    let (document, mut findings) = match parsed.to_executable(schema) {
        Ok(document) => (document, Vec::new()),
        Err(broken) => (broken.partial, Finding::all(&broken.errors)),
    };
    // Whether there is such a root matters only to the operation that is executed.
    let is_partial = !findings.is_empty();
    findings.retain(|finding| finding.kind != "UndefinedRootOperation");
    let (document, more) = match document.validate(schema) {
        Ok(document) => (document.into_inner(), Vec::new()),
        Err(broken) => (broken.partial, Finding::all(&broken.errors)),
    };
    let mut walk = Walk::of(&document, schema);
    if is_partial {
        walk.excuse(parsed);
    }
    let mut more: Vec<Finding> = more
        .into_iter()
        .filter(|f| walk.is_real(f, &findings))
        .collect();
    findings.append(&mut more);
    findings.append(&mut walk.findings);
    findings.extend(cycles(&document));
    errors.append(&mut walk.first_of_each(findings));
    if errors.is_empty() {
        // Not valid to apollo-compiler if something was left out, which its execution takes all the same.
        return Ok(Valid::assume_valid(document));
    }
    Err(errors)
}

/// An error, with the data to decide if graphql-java reports it, too.
struct Finding {
    kind: &'static str,
    range: Option<Range<Place>>,
    error: GraphQLError,
}

impl Finding {
    fn all(errors: &DiagnosticList) -> Vec<Finding> {
        let errors = errors.iter();
        errors
            .map(|error| {
                let mut json = error.to_json();
                json.message.insert_str(0, "Validation error : ");
                Finding {
                    kind: error.error.unstable_error_name().unwrap_or_default(),
                    range: error.error.location().map(places),
                    error: json,
                }
            })
            .collect()
    }

    fn new<T>(kind: &'static str, text: &str, at: &Node<T>, sources: &SourceMap) -> Finding {
        let message = format!("Validation error of type {text}");
        Finding {
            kind,
            range: at.location().map(places),
            error: GraphQLError::new(message, at.location(), sources),
        }
    }

    fn start(&self) -> Option<Place> {
        self.range.as_ref().map(|range| range.start)
    }
}

fn places(span: SourceSpan) -> Range<Place> {
    span.offset()..span.end_offset()
}

/// Positions of the parts of a document.
struct Walk<'a> {
    document: &'a ExecutableDocument,
    schema: &'a Schema,
    variables: Variables<'a>,
    /// The end of each argument, by its start.
    arguments: BTreeMap<Place, Place>,
    /// Positions of the uses of variables.
    uses: HashSet<Place>,
    /// The number of each field's path, and true if the field is directly below a list or a non-null type.
    fields: HashMap<Place, (usize, bool)>,
    /// The numbers of paths, by the parent's number and the response name.
    paths: HashMap<(usize, &'a Name), usize>,
    last_path: usize,
    /// Positions of definitions and uses whose error is only caused by something missing around or below them.
    excused: HashSet<Place>,
    findings: Vec<Finding>,
}

impl<'a> Walk<'a> {
    fn of(document: &'a ExecutableDocument, schema: &'a Schema) -> Walk<'a> {
        let mut walk = Walk {
            document,
            schema,
            variables: HashMap::new(),
            arguments: BTreeMap::new(),
            uses: HashSet::new(),
            fields: HashMap::new(),
            paths: HashMap::new(),
            last_path: 0,
            excused: HashSet::new(),
            findings: Vec::new(),
        };
        let mut all = HashMap::new();
        for operation in document.operations.iter() {
            let variables = operation.variables.iter();
            walk.variables = variables
                .map(|variable| (&variable.name, variable))
                .collect();
            all.extend(walk.variables.clone());
            walk.check_defaults();
            walk.last_path += 1;
            walk.selections(&operation.selection_set, walk.last_path, false);
        }
        // Fragments belong to the operations that use them, which mostly is one.
        walk.variables = all;
        for fragment in document.fragments.values() {
            walk.last_path += 1;
            walk.selections(&fragment.selection_set, walk.last_path, false);
        }
        walk
    }

    fn check_defaults(&mut self) {
        for (name, variable) in &self.variables {
            let default = variable.default_value.as_ref();
            if default.is_some_and(|default| !literals::fits(default, &variable.ty, self.schema)) {
                let text = format!("BadValueForDefaultArg: Bad default value of '{name}'");
                let sources = &self.document.sources;
                self.findings
                    .push(Finding::new("BadDefault", &text, variable, sources));
            }
        }
    }

    fn selections(&mut self, set: &'a SelectionSet, above: usize, is_wrapped: bool) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    let path = self.path(above, field.response_key());
                    if let Some(span) = field.location() {
                        self.fields.insert(span.offset(), (path, is_wrapped));
                    }
                    for argument in &field.arguments {
                        self.argument(field, argument);
                    }
                    let typ = field.ty();
                    let is_wrapped = typ.is_list() || typ.is_non_null();
                    self.selections(&field.selection_set, path, is_wrapped);
                }
                Selection::InlineFragment(fragment) => {
                    let is_wrapped = is_wrapped && fragment.type_condition.is_none();
                    self.selections(&fragment.selection_set, above, is_wrapped);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn path(&mut self, above: usize, name: &'a Name) -> usize {
        *self.paths.entry((above, name)).or_insert_with(|| {
            self.last_path += 1;
            self.last_path
        })
    }

    fn argument(&mut self, field: &Field, argument: &'a Node<Argument>) {
        let sources = &self.document.sources;
        if let Some(range) = argument.location().map(places) {
            self.arguments.insert(range.start, range.end);
        }
        mark_variables(&argument.value, &mut self.uses);
        let Some(definition) = field.definition.argument_by_name(&argument.name) else {
            return;
        };
        let problems = literals::check(&argument.value, definition, &self.variables, self.schema);
        if let Some(problem) = problems.value {
            let text = format!(
                "WrongType: argument '{}' {problem} @ '{}'",
                argument.name, field.name
            );
            self.findings
                .push(Finding::new("WrongType", &text, argument, sources));
        }
        for (literal, problem) in problems.variables {
            let text = format!("VariableTypeMismatch: {problem} @ '{}'", field.name);
            self.findings.push(Finding::new(
                "VariableTypeMismatch",
                &text,
                literal,
                sources,
            ));
        }
    }

    /// Searches the whole text for parts that are missing in the document.
    fn excuse(&mut self, parsed: &ast::Document) {
        let mut used = Used::default();
        let mut defined = HashSet::new();
        for definition in &parsed.definitions {
            match definition {
                ast::Definition::OperationDefinition(operation) => {
                    used.directives(&operation.directives);
                    used.selections(&operation.selection_set);
                }
                ast::Definition::FragmentDefinition(fragment) => {
                    defined.insert(&fragment.name);
                    used.directives(&fragment.directives);
                    used.selections(&fragment.selection_set);
                }
                _ => {}
            }
        }
        let variables = self
            .document
            .operations
            .iter()
            .flat_map(|operation| &operation.variables)
            .filter(|variable| used.variables.contains(&variable.name))
            .filter_map(|node| node.location());
        let is_used = |name: &Name| {
            let mut spreads = used.spreads.iter();
            spreads.any(|spread| spread.fragment_name == *name)
        };
        let fragments = self
            .document
            .fragments
            .values()
            .filter(|fragment| is_used(&fragment.name))
            .filter_map(|node| node.location());
        let spreads = used
            .spreads
            .iter()
            .filter(|spread| defined.contains(&spread.fragment_name))
            .filter_map(|node| node.location());
        let spans = variables.chain(fragments).chain(spreads);
        self.excused = spans.map(|span| span.offset()).collect();
    }

    /// Returns true if an error of apollo-compiler is independent of errors found before.
    fn is_real(&self, finding: &Finding, before: &[Finding]) -> bool {
        let (Some(range), Some(start)) = (&finding.range, finding.start()) else {
            return true;
        };
        match finding.kind {
            "UnusedVariable" | "UnusedFragment" | "UndefinedFragment" => {
                !self.excused.contains(&start)
            }
            // It has selections, but no valid ones.
            "MissingSubselection" => {
                let mut before = before.iter().filter_map(Finding::start);
                !before.any(|place| range.contains(&place))
            }
            // Our own checks see more of these.
            "UnsupportedValueType" => !self.uses.contains(&start),
            "DisallowedVariableUsage" => !self.arguments.contains_key(&start),
            "RecursiveFragmentDefinition" => false,
            // graphql-java compares only the types where the object itself is not the type of the field above.
            "ConflictingFieldName" | "ConflictingFieldArgument" => {
                self.fields.get(&start).is_none_or(|(_, wrapped)| !wrapped)
            }
            _ => true,
        }
    }

    /// Keeps one invalid value per argument, and one conflict per name.
    fn first_of_each(&self, findings: Vec<Finding>) -> Vec<GraphQLError> {
        let mut arguments = HashSet::new();
        let mut conflicts = HashSet::new();
        let mut errors = Vec::new();
        for finding in findings {
            let is_first = match (finding.kind, finding.start()) {
                (
                    "WrongType"
                    | "UnsupportedValueType"
                    | "IntCoercionError"
                    | "FloatCoercionError"
                    | "UndefinedEnumValue"
                    | "UndefinedInputValue"
                    | "RequiredField",
                    Some(start),
                ) => {
                    let before = self.arguments.range(..=start).next_back();
                    let argument = before.filter(|(_, end)| start < **end);
                    argument.is_none_or(|(begin, _)| arguments.insert(*begin))
                }
                (
                    "ConflictingFieldType" | "ConflictingFieldName" | "ConflictingFieldArgument",
                    Some(start),
                ) => {
                    let field = self.fields.get(&start);
                    field.is_none_or(|(path, _)| conflicts.insert(*path))
                }
                _ => true,
            };
            if is_first {
                errors.push(finding.error);
            }
        }
        errors
    }
}

fn mark_variables(literal: &Node<Literal>, uses: &mut HashSet<Place>) {
    match &**literal {
        Literal::Variable(_) => {
            uses.extend(literal.location().map(|span| span.offset()));
        }
        Literal::List(items) => items
            .iter()
            .for_each(|literal| mark_variables(literal, uses)),
        Literal::Object(members) => members
            .iter()
            .for_each(|(_, literal)| mark_variables(literal, uses)),
        _ => {}
    }
}

/// Variables and fragments used in the text of a document.
#[derive(Default)]
struct Used<'a> {
    variables: HashSet<&'a Name>,
    spreads: Vec<&'a Node<ast::FragmentSpread>>,
}

impl<'a> Used<'a> {
    fn selections(&mut self, selections: &'a [ast::Selection]) {
        for selection in selections {
            match selection {
                ast::Selection::Field(field) => {
                    self.arguments(&field.arguments);
                    self.directives(&field.directives);
                    self.selections(&field.selection_set);
                }
                ast::Selection::InlineFragment(fragment) => {
                    self.directives(&fragment.directives);
                    self.selections(&fragment.selection_set);
                }
                ast::Selection::FragmentSpread(spread) => {
                    self.directives(&spread.directives);
                    self.spreads.push(spread);
                }
            }
        }
    }

    fn directives(&mut self, directives: &'a ast::DirectiveList) {
        for directive in directives.iter() {
            self.arguments(&directive.arguments);
        }
    }

    fn arguments(&mut self, arguments: &'a [Node<Argument>]) {
        for argument in arguments {
            self.literal(&argument.value);
        }
    }

    fn literal(&mut self, literal: &'a Literal) {
        match literal {
            Literal::Variable(name) => {
                self.variables.insert(name);
            }
            Literal::List(items) => items.iter().for_each(|literal| self.literal(literal)),
            Literal::Object(members) => members
                .iter()
                .for_each(|(_, literal)| self.literal(literal)),
            _ => {}
        }
    }
}

/// Returns an error for each fragment that contains itself.
fn cycles(document: &ExecutableDocument) -> Vec<Finding> {
    let mut below: HashMap<&Name, Vec<&Name>> = HashMap::new();
    for fragment in document.fragments.values() {
        let spreads = below.entry(&fragment.name).or_default();
        collect_spreads(&fragment.selection_set, spreads);
    }
    let contains_itself = |name: &Name| {
        let mut seen = HashSet::new();
        let mut waiting = vec![name];
        while let Some(next) = waiting.pop() {
            for spread in below.get(next).into_iter().flatten() {
                if *spread == name {
                    return true;
                }
                if seen.insert(*spread) {
                    waiting.push(spread);
                }
            }
        }
        false
    };
    let fragments = document.fragments.values();
    let fragments = fragments.filter(|fragment| contains_itself(&fragment.name));
    fragments
        .map(|fragment| {
            let text = format!(
                "FragmentCycle: Fragment cycles not allowed @ '{}'",
                fragment.name
            );
            Finding::new("FragmentCycle", &text, fragment, &document.sources)
        })
        .collect()
}

fn collect_spreads<'a>(set: &'a SelectionSet, spreads: &mut Vec<&'a Name>) {
    for selection in &set.selections {
        match selection {
            Selection::Field(field) => collect_spreads(&field.selection_set, spreads),
            Selection::InlineFragment(fragment) => {
                collect_spreads(&fragment.selection_set, spreads);
            }
            Selection::FragmentSpread(spread) => spreads.push(&spread.fragment_name),
        }
    }
}
