import { TokenSection } from './token-section.js';
import { UserSection } from './user-section.js';
import './accounts.css';

/** Who may come in: people with accounts, programs with tokens. */
export function AccountsPage() {
  return (
    <>
      <h1>Users and tokens</h1>
      <UserSection />
      <TokenSection />
    </>
  );
}
