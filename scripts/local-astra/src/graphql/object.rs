//! JSON responses, passed to apollo-compiler member by member.

use apollo_compiler::ast::Type;
use apollo_compiler::resolvers::{AsyncObjectValue, AsyncResolvedValue, FieldError, ResolveInfo};
use futures::future::BoxFuture;
use serde_json::{Map, Value};

/// An object of a type, with its members by the names of the fields. Missing members are null.
pub struct Object {
    type_name: String,
    members: Map<String, Value>,
}

impl AsyncObjectValue for Object {
    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn resolve_field<'a>(
        &'a self,
        info: &'a ResolveInfo<'a>,
    ) -> BoxFuture<'a, Result<AsyncResolvedValue<'a>, FieldError>> {
        let value = self.members.get(info.field_name()).cloned();
        let value = value.unwrap_or(Value::Null);
        Box::pin(async move { Ok(resolved(value, &info.field_definition().ty, info)) })
    }
}

/// Converts a JSON value to a value of a type.
pub fn resolved<'a>(
    value: Value,
    typ: &'a Type,
    info: &'a ResolveInfo<'a>,
) -> AsyncResolvedValue<'a> {
    let type_name = typ.inner_named_type();
    match value {
        Value::Array(items) if typ.is_list() => {
            let items = items.into_iter();
            AsyncResolvedValue::list(items.map(|value| resolved(value, typ.item_type(), info)))
        }
        Value::Object(members) if info.schema().get_object(type_name).is_some() => {
            AsyncResolvedValue::object(Object {
                type_name: type_name.to_string(),
                members,
            })
        }
        leaf => AsyncResolvedValue::leaf(leaf),
    }
}
