//! The error codes: facts of the interface (`errors.yaml` of the open-source Data API, commit ada41bd8).

use axum::http::StatusCode;

/// The side that caused an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Request,
    Server,
}

macro_rules! codes {
    ($($family:ident $scope:literal { $($variant:ident $code:literal $title:literal)* })*) => {
        /// An error code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $($($variant,)*)* }

        impl Code {
            /// Family, scope, code and title.
            fn parts(self) -> (Family, &'static str, &'static str, &'static str) {
                match self {
                    $($(Code::$variant => (Family::$family, $scope, $code, $title),)*)*
                }
            }
        }
    };
}

codes! {
    Request "" {
        CommandAcceptsNoOptions "COMMAND_ACCEPTS_NO_OPTIONS" "Command accepts no options"
        CommandFieldUnknown "COMMAND_FIELD_UNKNOWN" "Command field unknown"
        CommandFieldValueInvalid "COMMAND_FIELD_VALUE_INVALID" "Command field value invalid"
        CommandUnknown "COMMAND_UNKNOWN" "Command is not recognized by Data API"
        HybridFieldUnsupportedValueType "HYBRID_FIELD_UNSUPPORTED_VALUE_TYPE" "Unsupported JSON value type for $hybrid field"
        InvalidCreateCollectionField "INVALID_CREATE_COLLECTION_FIELD" "Invalid field(s) for createCollection"
        RequestNotJson "REQUEST_NOT_JSON" "Request not valid JSON"
        RequestStructureMismatch "REQUEST_STRUCTURE_MISMATCH" "Request structure not valid"
        UnsupportedCollectionCommand "UNSUPPORTED_COLLECTION_COMMAND" "Command is not supported by collections"
        UnsupportedContentType "UNSUPPORTED_CONTENT_TYPE" "Unsupported Content-Type"
    }
    Request "SECURITY" {
        MissingAuthenticationToken "MISSING_AUTHENTICATION_TOKEN" "Missing authorization token"
        UnauthenticatedRequest "UNAUTHENTICATED_REQUEST" "Authentication failed"
        UnauthorizedAccess "UNAUTHORIZED_ACCESS" "Unauthorized access to the database"
    }
    Request "DOCUMENT" {
        DocumentAlreadyExists "DOCUMENT_ALREADY_EXISTS" "Document the given _id already exists"
        DocumentReplaceDifferentDocid "DOCUMENT_REPLACE_DIFFERENT_DOCID" "Document the given _id already exists"
        InvalidVectorLength "INVALID_VECTOR_LENGTH" "Vector values in documents are not valid"
        ShredBadBinaryVectorValue "SHRED_BAD_BINARY_VECTOR_VALUE" "Bad binary vector value to shred"
        ShredBadDocidType "SHRED_BAD_DOCID_TYPE" "Bad type for '_id' field"
        ShredBadDocidValue "SHRED_BAD_DOCID_VALUE" "Bad value for '_id' field"
        ShredBadDocumentLexicalType "SHRED_BAD_DOCUMENT_LEXICAL_TYPE" "Bad $lexical value to shred"
        ShredBadDocumentType "SHRED_BAD_DOCUMENT_TYPE" "Bad document type to shred"
        ShredBadDocumentVectorType "SHRED_BAD_DOCUMENT_VECTOR_TYPE" "Bad $vector value to shred"
        ShredBadEjsonValue "SHRED_BAD_EJSON_VALUE" "Bad JSON Extension value to shred"
        ShredBadFieldName "SHRED_BAD_FIELD_NAME" "Document field name not valid"
        ShredBadVectorSize "SHRED_BAD_VECTOR_SIZE" "Bad $vector value"
        ShredBadVectorValue "SHRED_BAD_VECTOR_VALUE" "Bad $vector value"
        ShredDocLimitViolation "SHRED_DOC_LIMIT_VIOLATION" "Document size limitation violated"
    }
    Request "FILTER" {
        FilterFieldsLimitViolation "FILTER_FIELDS_LIMIT_VIOLATION" "Filter fields size limitation violated"
        FilterIdNotIndexed "FILTER_ID_NOT_INDEXED" "Collection field '_id' not indexed can only filter with '$eq' or '$in'"
        FilterInvalidExpression "FILTER_INVALID_EXPRESSION" "Unsupported filter clause"
        FilterMultipleIdFilter "FILTER_MULTIPLE_ID_FILTER" "Can only have one '_id' equals filter clause"
        FilterPathUnindexed "FILTER_PATH_UNINDEXED" "Collection path used in filter clause not indexed"
        FilterUnsupportedDataType "FILTER_UNSUPPORTED_DATA_TYPE" "Unsupported filter data type"
        FilterUnsupportedOperator "FILTER_UNSUPPORTED_OPERATOR" "Unsupported filter operator"
    }
    Request "UPDATE" {
        UnsupportedUpdateDataType "UNSUPPORTED_UPDATE_DATA_TYPE" "Unsupported update data type"
        UnsupportedUpdateOperation "UNSUPPORTED_UPDATE_OPERATION" "Unsupported update operation"
        UnsupportedUpdateOperationModifier "UNSUPPORTED_UPDATE_OPERATION_MODIFIER" "Unsupported update operation modifier"
        UnsupportedUpdateOperationParam "UNSUPPORTED_UPDATE_OPERATION_PARAM" "Unsupported update operation parameter"
        UnsupportedUpdateOperationPath "UNSUPPORTED_UPDATE_OPERATION_PATH" "Unsupported update operation path"
        UnsupportedUpdateOperationTarget "UNSUPPORTED_UPDATE_OPERATION_TARGET" "Unsupported update operation target"
        UnsupportedUpdateOperatorForDocId "UNSUPPORTED_UPDATE_OPERATOR_FOR_DOC_ID" "Update operators cannot be used on _id field"
        UnsupportedUpdateOperatorForLexical "UNSUPPORTED_UPDATE_OPERATOR_FOR_LEXICAL" "Update operator cannot be used on $lexical field"
        UnsupportedUpdateOperatorForVector "UNSUPPORTED_UPDATE_OPERATOR_FOR_VECTOR" "Update operator cannot be used on $vector field"
        UnsupportedUpdateOperatorForVectorize "UNSUPPORTED_UPDATE_OPERATOR_FOR_VECTORIZE" "Update operator cannot be used on $vectorize field"
    }
    Request "PROJECTION" {
        UnsupportedProjectionDefinition "UNSUPPORTED_PROJECTION_DEFINITION" "Unsupported projection definition"
        UnsupportedProjectionParam "UNSUPPORTED_PROJECTION_PARAM" "Unsupported projection parameter"
    }
    Request "SCHEMA" {
        EmbeddingServiceNotConfigured "EMBEDDING_SERVICE_NOT_CONFIGURED" "Embedding service not configured for collection"
        ExistingCollectionDifferentSettings "EXISTING_COLLECTION_DIFFERENT_SETTINGS" "Collection already exists with different settings"
        ExistingIndexForCollection "EXISTING_INDEX_FOR_COLLECTION" "Cannot create collection due to existing index with conflicting name"
        ExistingTableNotDataApiCollection "EXISTING_TABLE_NOT_DATA_API_COLLECTION" "Existing table not a valid Data API collection"
        InvalidCreateCollectionOptions "INVALID_CREATE_COLLECTION_OPTIONS" "Invalid options for createCollection"
        InvalidIndexingDefinition "INVALID_INDEXING_DEFINITION" "Invalid indexing definition"
        InvalidUsageOfVectorize "INVALID_USAGE_OF_VECTORIZE" "Invalid use of '$vector' and '$vectorize'"
        LexicalFeatureNotEnabled "LEXICAL_FEATURE_NOT_ENABLED" "Lexical search is not available on this database"
        LexicalNotEnabledForCollection "LEXICAL_NOT_ENABLED_FOR_COLLECTION" "Lexical search is not enabled for the collection"
        RerankingFeatureNotEnabled "RERANKING_FEATURE_NOT_ENABLED" "Reranking feature not enabled"
        TooManyCollections "TOO_MANY_COLLECTIONS" "Too many collections"
        TooManyIndexesForCollection "TOO_MANY_INDEXES_FOR_COLLECTION" "Cannot create collection due to number of existing indexes"
        UnknownCollectionOrTable "UNKNOWN_COLLECTION_OR_TABLE" "Collection or Table does not exist in the Keyspace"
        UnknownKeyspace "UNKNOWN_KEYSPACE" "Keyspace does not exist in the Database"
        UnsupportedSchemaName "UNSUPPORTED_SCHEMA_NAME" "The used schema name is not supported"
        VectorSearchNotSupported "VECTOR_SEARCH_NOT_SUPPORTED" "Vector search not enabled for collection"
        VectorSearchTooBigValue "VECTOR_SEARCH_TOO_BIG_VALUE" "Vector embedding property too big"
        VectorizeFeatureNotAvailable "VECTORIZE_FEATURE_NOT_AVAILABLE" "Vectorize feature not available"
    }
    Request "SORT" {
        OverloadedSortRowLimit "OVERLOADED_SORT_ROW_LIMIT" "Sort aborted due to in-memory sort restriction"
        SortClauseInvalid "SORT_CLAUSE_INVALID" "Sort clause used by command not valid"
        SortClausePathInvalid "SORT_CLAUSE_PATH_INVALID" "Path used in sort clause not valid"
        SortClausePathUnindexed "SORT_CLAUSE_PATH_UNINDEXED" "Collection field used in sort clause not indexed"
        SortClauseValueInvalid "SORT_CLAUSE_VALUE_INVALID" "Value used for sort expression not valid"
    }
    Request "WARNING" {
        DeprecatedCommand "DEPRECATED_COMMAND" "Deprecated command"
    }
    Server "" {
        InternalServerError "INTERNAL_SERVER_ERROR" "Internal server error"
        UnexpectedServerError "UNEXPECTED_SERVER_ERROR" "Unexpected server error"
    }
    Server "DATABASE" {
        CorruptedCollectionSchema "CORRUPTED_COLLECTION_SCHEMA" "Corrupted collection schema"
        DocumentFromDbUnparseable "DOCUMENT_FROM_DB_UNPARSEABLE" "Unable to parse JSON content"
        FailedConcurrentOperations "FAILED_CONCURRENT_OPERATIONS" "Failed to complete concurrent operations on the database"
        FailedReadRequest "FAILED_READ_REQUEST" "Failed database request"
        FailedToConnectToDatabase "FAILED_TO_CONNECT_TO_DATABASE" "Data API Failed to connect to the database"
        FailedTruncation "FAILED_TRUNCATION" "Failed database Truncate operation"
        FailedWriteRequest "FAILED_WRITE_REQUEST" "Failed database request"
        InvalidDatabaseQuery "INVALID_DATABASE_QUERY" "Invalid database query"
        TimeoutReadingData "TIMEOUT_READING_DATA" "Timeout reading data from the database"
        TimeoutWritingData "TIMEOUT_WRITING_DATA" "Timeout writing data to the database"
        UnavailableDatabase "UNAVAILABLE_DATABASE" "The database is unavailable"
        UnexpectedDriverError "UNEXPECTED_DRIVER_ERROR" "Unexpected driver error"
        UnsupportedDatabaseQuery "UNSUPPORTED_DATABASE_QUERY" "Unsupported database query"
    }
}

impl Code {
    pub fn family(self) -> &'static str {
        match self.parts().0 {
            Family::Request => "REQUEST",
            Family::Server => "SERVER",
        }
    }

    pub fn scope(self) -> &'static str {
        self.parts().1
    }

    pub fn name(self) -> &'static str {
        self.parts().2
    }

    pub fn title(self) -> &'static str {
        self.parts().3
    }

    /// Errors of commands are 200; only security and the content type are not.
    pub fn status(self) -> StatusCode {
        match self {
            Code::MissingAuthenticationToken
            | Code::UnauthenticatedRequest
            | Code::UnauthorizedAccess => StatusCode::UNAUTHORIZED,
            Code::UnsupportedContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            _ => StatusCode::OK,
        }
    }
}
