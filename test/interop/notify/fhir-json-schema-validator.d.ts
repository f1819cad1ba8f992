declare module '@asymmetrik/fhir-json-schema-validator' {
  export default class JSONSchemaValidator {
    /** Errors; nothing where there are none. With `verbose` they are those of every resource type at once. */
    validate(
      resource: object,
      verbose?: boolean,
    ): readonly { readonly dataPath: string; readonly message: string }[] | null;
  }
}
