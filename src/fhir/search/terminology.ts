export type Code = { readonly system: string; readonly code: string };

/** What `:in`, `:above` and their like need to know of code systems and value sets; undefined: not known here. */
export type Terminology = {
  readonly expand: (valueSet: string) => readonly Code[] | undefined;
  /** the code systems that a value set takes its codes from; undefined: it may be any */
  readonly systems: (valueSet: string) => readonly string[] | undefined;
  /** the code itself and all that it subsumes (`below`) or that subsume it (`above`) */
  readonly related: (code: Code, direction: 'above' | 'below') => readonly Code[] | undefined;
};
