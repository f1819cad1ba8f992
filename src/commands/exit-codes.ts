/** What `vigil` commands end with. */
export const EXIT = {
  done: 0,
  /** Something was tried and did not work, wholly or in part. */
  failed: 1,
  /** The command line or the configuration is wrong; nothing was tried. */
  usage: 2,
  /** What was asked for is not in the catalog. */
  notFound: 3,
} as const;
