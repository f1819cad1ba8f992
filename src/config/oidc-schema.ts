import { z } from 'zod';

const values = z.array(z.string().min(1));

/** The form of `admin.oidc` in the configuration file: the identity provider that people sign in with. */
export const oidc = z.strictObject({
  issuer: z
    .url({ protocol: /^https?$/, error: 'is no URL, such as https://login.hospital.example' })
    .describe('The identity provider: its issuer identifier, below which its metadata is found.'),
  clientId: z.string().min(1).describe('As the provider knows Vigil.'),
  clientSecretFile: z
    .string()
    .min(1)
    .exactOptional()
    .describe(
      'File with the secret of the client, where it has one. Relative to the configuration file.',
    ),
  title: z
    .string()
    .min(1)
    .max(60)
    .default('Sign in with the hospital account')
    .describe('What the button says.'),
  scope: z.string().min(1).default('openid profile').describe('What the provider is asked for.'),
  signOutAtProvider: z
    .boolean()
    .default(true)
    .describe(
      'Whether signing out of the console ends the session at the provider as well, where it offers that.',
    ),
  nameClaim: z
    .string()
    .min(1)
    .default('preferred_username')
    .describe('The claim with the name that accounts and audit show.'),
  roleClaim: z.string().min(1).default('roles').describe('The claim with roles or groups.'),
  roles: z
    .strictObject({
      viewer: values.exactOptional().describe('Who reads.'),
      operator: values.exactOptional().describe('Who also sends and analyses again.'),
      admin: values.exactOptional().describe('Who also changes and manages.'),
    })
    .describe('Which values of that claim give which role; whoever has none is not signed in.'),
});

export type OidcText = z.output<typeof oidc>;
