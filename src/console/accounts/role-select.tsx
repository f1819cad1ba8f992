import type { Role } from '../../admin/api/schemas/common.js';

const WORDS: Readonly<Record<Role, string>> = {
  viewer: 'Viewer: reads',
  operator: 'Operator: sends, analyses again',
  admin: 'Administrator: routes, users, audit',
};

export function RoleSelect({
  label,
  role,
  choose,
}: {
  readonly label: string;
  readonly role: Role;
  readonly choose: (role: Role) => void;
}) {
  return (
    <select
      aria-label={label}
      value={role}
      onChange={({ currentTarget }) => choose(currentTarget.value as Role)}
    >
      {(Object.keys(WORDS) as Role[]).map((name) => (
        <option key={name} value={name}>
          {WORDS[name]}
        </option>
      ))}
    </select>
  );
}
