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
        UnsupportedTableCommand "UNSUPPORTED_TABLE_COMMAND" "Command is not supported by tables"
    }
    Request "SECURITY" {
        MissingAuthenticationToken "MISSING_AUTHENTICATION_TOKEN" "Missing authorization token"
        UnauthenticatedRequest "UNAUTHENTICATED_REQUEST" "Authentication failed"
        UnauthorizedAccess "UNAUTHORIZED_ACCESS" "Unauthorized access to the database"
    }
    Request "DOCUMENT" {
        DocumentAlreadyExists "DOCUMENT_ALREADY_EXISTS" "Document the given _id already exists"
        DocumentReplaceDifferentDocid "DOCUMENT_REPLACE_DIFFERENT_DOCID" "Document the given _id already exists"
        InvalidColumnValues "INVALID_COLUMN_VALUES" "Column values in documents are not valid"
        InvalidVectorLength "INVALID_VECTOR_LENGTH" "Vector values in documents are not valid"
        MissingPrimaryKeyColumns "MISSING_PRIMARY_KEY_COLUMNS" "Primary key columns missing"
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
        UnknownColumnsInDocument "UNKNOWN_TABLE_COLUMNS" "Columns in documents are not defined in the table schema"
        UnsupportedColumnsInDocument "UNSUPPORTED_COLUMN_TYPES" "Column types in documents are not supported"
        VectorizeWithoutDefinitionInDocument "UNSUPPORTED_VECTORIZE_WHEN_MISSING_VECTORIZE_DEFINITION" "Vectorize not supported on column with missing vectorize configuration"
    }
    Request "FILTER" {
        CannotLexicalFilterNonIndexedColumns "CANNOT_LEXICAL_FILTER_NON_INDEXED_COLUMNS" "Lexical filter cannot be used for non-indexed columns"
        FilterFieldsLimitViolation "FILTER_FIELDS_LIMIT_VIOLATION" "Filter fields size limitation violated"
        FilterIdNotIndexed "FILTER_ID_NOT_INDEXED" "Collection field '_id' not indexed can only filter with '$eq' or '$in'"
        FilterInvalidExpression "FILTER_INVALID_EXPRESSION" "Unsupported filter clause"
        FilterMultipleIdFilter "FILTER_MULTIPLE_ID_FILTER" "Can only have one '_id' equals filter clause"
        FilterPathUnindexed "FILTER_PATH_UNINDEXED" "Collection path used in filter clause not indexed"
        FilterUnsupportedDataType "FILTER_UNSUPPORTED_DATA_TYPE" "Unsupported filter data type"
        FilterUnsupportedOperator "FILTER_UNSUPPORTED_OPERATOR" "Unsupported filter operator"
        InvalidFilterColumnValues "INVALID_FILTER_COLUMN_VALUES" "Column value in filter is not valid"
        InvalidMapSetListFilter "INVALID_MAP_SET_LIST_FILTER" "Command has invalid filter against a map, set, or list column"
        InvalidPrimaryKeyFilter "INVALID_PRIMARY_KEY_FILTER" "Primary key filtering must specify columns in schema order"
        MissingFilterForUpdateDelete "MISSING_FILTER_FOR_UPDATE_DELETE" "Update and delete commands require a filter"
        MissingFullPrimaryKeyForUpdateDelete "MISSING_FULL_PRIMARY_KEY_FOR_UPDATE_DELETE" "updateOne and deleteOne commands require filtering on the full primary key"
        UnknownColumnsInFilter "UNKNOWN_TABLE_COLUMNS" "Columns in the filter are not defined in the table schema"
        UnsupportedComparisonFilterAgainstDuration "UNSUPPORTED_COMPARISON_FILTER_AGAINST_DURATION" "Duration data type does not support comparison filters"
        UnsupportedFilterForUpdateOneDeleteOne "UNSUPPORTED_FILTER_FOR_UPDATE_ONE_DELETE_ONE" "updateOne and deleteOne commands only support filtering using $eq"
        UnsupportedNonPrimaryKeyFilterForUpdateDelete "UNSUPPORTED_NON_PRIMARY_KEY_FILTER_FOR_UPDATE_DELETE" "Update and delete commands only support filtering on the primary key"
    }
    Request "UPDATE" {
        InvalidPushOperatorUsage "INVALID_PUSH_OPERATOR_USAGE" "The command has invalid usage of $push operator"
        InvalidUpdateColumnValues "INVALID_UPDATE_COLUMN_VALUES" "Column value in update clause is not valid"
        MissingUpdateOperations "MISSING_UPDATE_OPERATIONS" "Update operation requires at least one operation"
        UnknownColumnsInUpdate "UNKNOWN_TABLE_COLUMNS" "Columns in the update are not defined in the table schema"
        UnsupportedOverlappingUpdateOperations "UNSUPPORTED_OVERLAPPING_UPDATE_OPERATIONS" "Columns cannot be changed by multiple update operations"
        UnsupportedUpdateDataType "UNSUPPORTED_UPDATE_DATA_TYPE" "Unsupported update data type"
        UnsupportedUpdateForPrimaryKeyColumns "UNSUPPORTED_UPDATE_FOR_PRIMARY_KEY_COLUMNS" "Primary key columns cannot be updated"
        UnsupportedUpdateOperation "UNSUPPORTED_UPDATE_OPERATION" "Unsupported update operation"
        UnsupportedUpdateOperationModifier "UNSUPPORTED_UPDATE_OPERATION_MODIFIER" "Unsupported update operation modifier"
        UnsupportedUpdateOperationParam "UNSUPPORTED_UPDATE_OPERATION_PARAM" "Unsupported update operation parameter"
        UnsupportedUpdateOperationPath "UNSUPPORTED_UPDATE_OPERATION_PATH" "Unsupported update operation path"
        UnsupportedUpdateOperationTarget "UNSUPPORTED_UPDATE_OPERATION_TARGET" "Unsupported update operation target"
        UnsupportedUpdateOperationsForTable "UNSUPPORTED_UPDATE_OPERATIONS_FOR_TABLE" "Update operation not supported by tables"
        UnsupportedUpdateOperator "UNSUPPORTED_UPDATE_OPERATOR" "Update operator is not supported by target columns"
        UnsupportedUpdateOperatorForDocId "UNSUPPORTED_UPDATE_OPERATOR_FOR_DOC_ID" "Update operators cannot be used on _id field"
        UnsupportedUpdateOperatorForLexical "UNSUPPORTED_UPDATE_OPERATOR_FOR_LEXICAL" "Update operator cannot be used on $lexical field"
        UnsupportedUpdateOperatorForVector "UNSUPPORTED_UPDATE_OPERATOR_FOR_VECTOR" "Update operator cannot be used on $vector field"
        UnsupportedUpdateOperatorForVectorize "UNSUPPORTED_UPDATE_OPERATOR_FOR_VECTORIZE" "Update operator cannot be used on $vectorize field"
        VectorizeWithoutDefinitionInUpdate "UNSUPPORTED_VECTORIZE_WHEN_MISSING_VECTORIZE_DEFINITION" "Vectorize requires a column with vectorize definition"
    }
    Request "PROJECTION" {
        UnknownColumnsInProjection "UNKNOWN_TABLE_COLUMNS" "Columns in the projection are not defined in the table schema"
        UnsupportedColumnsInProjection "UNSUPPORTED_COLUMN_TYPES" "Column types in projection are not supported"
        UnsupportedProjectionDefinition "UNSUPPORTED_PROJECTION_DEFINITION" "Unsupported projection definition"
        UnsupportedProjectionParam "UNSUPPORTED_PROJECTION_PARAM" "Unsupported projection parameter"
    }
    Request "SCHEMA" {
        CannotAddExistingColumns "CANNOT_ADD_EXISTING_COLUMNS" "Columns with the same name are defined in the table schema"
        CannotAddExistingField "CANNOT_ADD_EXISTING_FIELD" "Field with the same name are defined in the type definition"
        CannotAddExistingIndex "CANNOT_ADD_EXISTING_INDEX" "Index with the same name exists in the keyspace schema"
        CannotAddExistingTable "CANNOT_ADD_EXISTING_TABLE" "Table with the same name exists in the keyspace schema"
        CannotAddExistingType "CANNOT_ADD_EXISTING_TYPE" "Type with the same name exists in the keyspace schema"
        CannotAddPreviouslyDroppedColumn "CANNOT_ADD_PREVIOUSLY_DROPPED_COLUMN" "Column cannot be re-added with a different type"
        CannotAddUnsupportedDataTypeColumns "CANNOT_ADD_UNSUPPORTED_DATA_TYPE_COLUMNS" "Alter table trying to add columns with unsupported data type"
        CannotAnalyzeEntriesOnMapColumns "CANNOT_ANALYZE_ENTRIES_ON_MAP_COLUMNS" "Can not create index on map column with index function entries and specify analyze options"
        CannotDropIndexedColumns "CANNOT_DROP_INDEXED_COLUMNS" "Columns used in the indexes cannot be dropped"
        CannotDropPrimaryKeyColumns "CANNOT_DROP_PRIMARY_KEY_COLUMNS" "Primary key columns cannot be dropped from the table schema"
        CannotDropTypeUsedByTable "CANNOT_DROP_TYPE_USED_BY_TABLE" "Type cannot be dropped if used by tables"
        CannotDropUnknownColumns "CANNOT_DROP_UNKNOWN_COLUMNS" "Columns cannot be dropped if they are not defined in the table schema"
        CannotDropUnknownIndex "CANNOT_DROP_UNKNOWN_INDEX" "Dropped index is not defined in the keyspace schema"
        CannotDropUnknownTable "CANNOT_DROP_UNKNOWN_TABLE" "Dropped table is not defined in the keyspace schema"
        CannotDropUnknownType "CANNOT_DROP_UNKNOWN_TYPE" "Dropped type is not defined in the keyspace schema"
        CannotDropVectorizeFromNonVectorColumns "CANNOT_DROP_VECTORIZE_FROM_NON_VECTOR_COLUMNS" "Vectorize configuration cannot be dropped from columns if they are not `vector` type"
        CannotDropVectorizeFromUnknownColumns "CANNOT_DROP_VECTORIZE_FROM_UNKNOWN_COLUMNS" "Vectorize configuration cannot be dropped from columns if they are not defined in the table schema"
        CannotRenameUnknownTypeField "CANNOT_RENAME_UNKNOWN_TYPE_FIELD" "Field cannot be renamed if it is not defined in the type"
        CannotVectorizeNonVectorColumns "CANNOT_VECTORIZE_NON_VECTOR_COLUMNS" "Columns cannot be vectorized if they are not `vector` type"
        CannotVectorizeUnknownColumns "CANNOT_VECTORIZE_UNKNOWN_COLUMNS" "Columns cannot be vectorized if they are not defined in the table schema"
        EmbeddingServiceNotConfigured "EMBEDDING_SERVICE_NOT_CONFIGURED" "Embedding service not configured for collection"
        ExistingCollectionDifferentSettings "EXISTING_COLLECTION_DIFFERENT_SETTINGS" "Collection already exists with different settings"
        ExistingIndexForCollection "EXISTING_INDEX_FOR_COLLECTION" "Cannot create collection due to existing index with conflicting name"
        ExistingTableNotDataApiCollection "EXISTING_TABLE_NOT_DATA_API_COLLECTION" "Existing table not a valid Data API collection"
        InvalidCreateCollectionOptions "INVALID_CREATE_COLLECTION_OPTIONS" "Invalid options for createCollection"
        InvalidFormatForIndexCreationColumn "INVALID_FORMAT_FOR_INDEX_CREATION_COLUMN" "Unable to create index, format for index creation column is invalid."
        InvalidIndexingDefinition "INVALID_INDEXING_DEFINITION" "Invalid indexing definition"
        InvalidUsageOfVectorize "INVALID_USAGE_OF_VECTORIZE" "Invalid use of '$vector' and '$vectorize'"
        InvalidUserDefinedTypeName "INVALID_USER_DEFINED_TYPE_NAME" "User defined type name is not valid."
        LexicalFeatureNotEnabled "LEXICAL_FEATURE_NOT_ENABLED" "Lexical search is not available on this database"
        LexicalNotEnabledForCollection "LEXICAL_NOT_ENABLED_FOR_COLLECTION" "Lexical search is not enabled for the collection"
        MissingAlterTableOperations "MISSING_ALTER_TABLE_OPERATIONS" "Alter table command must include operations"
        MissingAlterTypeOperations "MISSING_ALTER_TYPE_OPERATIONS" "Alter type command must include operations"
        MissingDimensionInVectorColumn "MISSING_DIMENSION_IN_VECTOR_COLUMN" "Dimension is required for vector column if embedding service is not specified"
        MissingFieldsForTypeCreation "MISSING_FIELDS_FOR_TYPE_CREATION" "At least one field is required for type creation"
        MissingPartitionColumns "MISSING_PARTITION_COLUMNS" "Partitioning keys are required for tables"
        RerankingFeatureNotEnabled "RERANKING_FEATURE_NOT_ENABLED" "Reranking feature not enabled"
        TooManyCollections "TOO_MANY_COLLECTIONS" "Too many collections"
        TooManyIndexesForCollection "TOO_MANY_INDEXES_FOR_COLLECTION" "Cannot create collection due to number of existing indexes"
        UnknownCollectionOrTable "UNKNOWN_COLLECTION_OR_TABLE" "Collection or Table does not exist in the Keyspace"
        UnknownDataType "UNKNOWN_DATA_TYPE" "Data type is unknown"
        UnknownIndexColumn "UNKNOWN_INDEX_COLUMN" "Index column is not defined in the table schema"
        UnknownIndexType "UNKNOWN_INDEX_TYPE" "Index type is unknown"
        UnknownKeyspace "UNKNOWN_KEYSPACE" "Keyspace does not exist in the Database"
        UnknownPartitionColumns "UNKNOWN_PARTITION_COLUMNS" "Partition columns are not defined in the table schema"
        UnknownPartitionSortColumns "UNKNOWN_PARTITION_SORT_COLUMNS" "Partition sort columns are not defined in the table schema"
        UnknownPrimitiveDataType "UNKNOWN_PRIMITIVE_DATA_TYPE" "Primitive data type is unknown"
        UnknownUserDefinedType "UNKNOWN_USER_DEFINED_TYPE" "User defined type is unknown"
        UnknownVectorMetric "UNKNOWN_VECTOR_METRIC" "Vector metric is unknown"
        UnknownVectorSourceModel "UNKNOWN_VECTOR_SOURCE_MODEL" "Vector source model is unknown"
        UnsupportedDataTypeTableCreation "UNSUPPORTED_DATA_TYPE_TABLE_CREATION" "Table creation with unsupported data types"
        UnsupportedIndexType "UNSUPPORTED_INDEX_TYPE" "Index type is not supported"
        UnsupportedIndexingForDataTypes "UNSUPPORTED_INDEXING_FOR_DATA_TYPES" "Indexing not supported by data types"
        UnsupportedIndexingForFrozenColumn "UNSUPPORTED_INDEXING_FOR_FROZEN_COLUMN" "Index creation on a frozen column is not supported"
        UnsupportedListDefinition "UNSUPPORTED_LIST_DEFINITION" "List definition contains unsupported data types"
        UnsupportedMapDefinition "UNSUPPORTED_MAP_DEFINITION" "Map definition contains unsupported data types"
        UnsupportedSchemaName "UNSUPPORTED_SCHEMA_NAME" "The used schema name is not supported"
        UnsupportedSetDefinition "UNSUPPORTED_SET_DEFINITION" "Set definition contains unsupported data types"
        UnsupportedTextAnalysisForDataTypes "UNSUPPORTED_TEXT_ANALYSIS_FOR_DATA_TYPES" "Analysed text index not supported by data types"
        UnsupportedTypeFields "UNSUPPORTED_TYPE_FIELDS" "Type definition contains unsupported fields."
        UnsupportedVectorDimension "UNSUPPORTED_VECTOR_DIMENSION" "Vector definition contains unsupported dimension"
        UnsupportedVectorIndexForDataTypes "UNSUPPORTED_VECTOR_INDEX_FOR_DATA_TYPES" "Vector index not supported by data types"
        VectorSearchNotSupported "VECTOR_SEARCH_NOT_SUPPORTED" "Vector search not enabled for collection"
        VectorSearchTooBigValue "VECTOR_SEARCH_TOO_BIG_VALUE" "Vector embedding property too big"
        VectorizeFeatureNotAvailable "VECTORIZE_FEATURE_NOT_AVAILABLE" "Vectorize feature not available"
    }
    Request "SORT" {
        CannotLexicalSortNonIndexedColumns "CANNOT_LEXICAL_SORT_NON_INDEXED_COLUMNS" "Lexical sort cannot be used for non-indexed columns"
        CannotLexicalSortWithSkipOption "CANNOT_LEXICAL_SORT_WITH_SKIP_OPTION" "Skip option cannot be used with lexical sort"
        CannotSortOnSpecialWithOthers "CANNOT_SORT_ON_SPECIAL_WITH_OTHERS" "Special sort combined with other sort expressions"
        CannotSortUnknownColumns "CANNOT_SORT_UNKNOWN_COLUMNS" "Sorted columns are not defined in the table schema"
        CannotVectorSortNonIndexedVectorColumns "CANNOT_VECTOR_SORT_NON_INDEXED_VECTOR_COLUMNS" "Vector sort cannot be used for non indexed vector columns"
        CannotVectorSortNonVectorColumns "CANNOT_VECTOR_SORT_NON_VECTOR_COLUMNS" "Vector sort columns are not `vector` type"
        CannotVectorSortOnMismatchedVectorDimensions "CANNOT_VECTOR_SORT_ON_MISMATCHED_VECTOR_DIMENSIONS" "Vector sort cannot be used with mismatched vector dimensions"
        CannotVectorSortWithLimitExceedsMax "CANNOT_VECTOR_SORT_WITH_LIMIT_EXCEEDS_MAX" "Limit exceeds the maximum allowed for vector sort"
        CannotVectorSortWithSkipOption "CANNOT_VECTOR_SORT_WITH_SKIP_OPTION" "Skip option cannot be used with  vector sort"
        CannotVectorizeSortNonVectorColumn "CANNOT_VECTORIZE_SORT_NON_VECTOR_COLUMN" "Vectorize sort columns are not `vector` type"
        CannotVectorizeSortWhenMissingVectorizeDefinition "CANNOT_VECTORIZE_SORT_WHEN_MISSING_VECTORIZE_DEFINITION" "Vectorize sort not supported on column with missing vectorize configuration"
        InvalidRegularSortExpression "INVALID_REGULAR_SORT_EXPRESSION" "Sort expression is not valid for regular sort"
        InvalidVectorSortExpression "INVALID_VECTOR_SORT_EXPRESSION" "Sort expression is not valid for vector/vectorize sort"
        OverloadedSortRowLimit "OVERLOADED_SORT_ROW_LIMIT" "Sort aborted due to in-memory sort restriction"
        SortClauseInvalid "SORT_CLAUSE_INVALID" "Sort clause used by command not valid"
        SortClausePathInvalid "SORT_CLAUSE_PATH_INVALID" "Path used in sort clause not valid"
        SortClausePathUnindexed "SORT_CLAUSE_PATH_UNINDEXED" "Collection field used in sort clause not indexed"
        SortClauseValueInvalid "SORT_CLAUSE_VALUE_INVALID" "Value used for sort expression not valid"
        UnsupportedPaginationWithInMemorySorting "UNSUPPORTED_PAGINATION_WITH_IN_MEMORY_SORTING" "Pagination not supported when using in-memory sorting"
        UnsupportedSortForTableDeleteCommand "UNSUPPORTED_SORT_FOR_TABLE_DELETE_COMMAND" "Sorting not supported by delete command on tables"
        UnsupportedSortForTableUpdateCommand "UNSUPPORTED_SORT_FOR_TABLE_UPDATE_COMMAND" "Sorting not supported by update command on tables"
    }
    Request "WARNING" {
        ComparisonFilterUnsupportedByIndexing "COMPARISON_FILTER_UNSUPPORTED_BY_INDEXING" "Use of $lt, $gt, $lte, $gte (comparison filter) on indexed columns"
        DeprecatedCommand "DEPRECATED_COMMAND" "Deprecated command"
        InMemorySortingDueSkipOptions "IN_MEMORY_SORTING_DUE_SKIP_OPTIONS" "Sorting uses skip option, performing as in memory sort"
        InMemorySortingDueToNonPartitionSorting "IN_MEMORY_SORTING_DUE_TO_NON_PARTITION_SORTING" "Sorting by non partition sorting columns"
        InMemorySortingDueToOutOfOrderPartitionSorting "IN_MEMORY_SORTING_DUE_TO_OUT_OF_ORDER_PARTITION_SORTING" "Sorting on out of order partition sorting columns"
        InMemorySortingDueToPartitionKeyNotRestricted "IN_MEMORY_SORTING_DUE_TO_PARTITION_KEY_NOT_RESTRICTED" "Sorting with partition key not restricted correctly in filter clause"
        IncompletePrimaryKeyFilter "INCOMPLETE_PRIMARY_KEY_FILTER" "Incomplete filter on table primary key"
        MissingIndex "MISSING_INDEX" "Filter includes columns that are not indexed"
        NotEqualsUnsupportedByIndexing "NOT_EQUALS_UNSUPPORTED_BY_INDEXING" "Use of $ne (not equals) on indexed columns"
        NotInFilterUnsupportedByIndexing "NOT_IN_FILTER_UNSUPPORTED_BY_INDEXING" "Use of $nin on indexed columns"
        ZeroFilterOperations "ZERO_FILTER_OPERATIONS" "Zero operations provided in query filter"
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
