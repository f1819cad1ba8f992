declare module 'hl7-dictionary' {
  export interface Part {
    readonly datatype: string;
    readonly desc: string;
    /** 1 optional, 2 required, 3 conditional. */
    readonly opt: number;
    /** 0: as often as one likes. */
    readonly rep: number;
    readonly len?: number;
    readonly table?: number;
  }

  export interface Item {
    readonly name: string;
    readonly min: number;
    /** 0: as often as one likes. */
    readonly max: number;
    readonly children?: readonly Item[];
  }

  export interface Definitions {
    readonly fields: Readonly<Record<string, { readonly subfields: readonly Part[] }>>;
    readonly segments: Readonly<Record<string, { readonly fields: readonly Part[] }>>;
    readonly messages: Readonly<
      Record<string, { readonly segments: { readonly segments: readonly Item[] } }>
    >;
  }

  const dictionary: {
    readonly definitions: Readonly<Record<string, Definitions>>;
    readonly tables: Readonly<
      Record<number, { readonly values: Readonly<Record<string, string>> }>
    >;
  };
  export default dictionary;
}
