declare module 'dcmjs' {
  /** An entry of the data dictionary (PS3.6); `tag` as (gggg,eeee), `vr` with the library's own names for choices. */
  export interface DictionaryEntry {
    readonly tag: string;
    readonly vr: string;
    readonly vm: string;
    readonly name: string;
  }
  export const data: {
    readonly DicomMetaDictionary: {
      readonly nameMap: Readonly<Record<string, DictionaryEntry | undefined>>;
    };
  };
}
