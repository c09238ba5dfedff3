/** What an API server says in an answer that is no success: the message of its Status; the beginning of anything else. */
export function messageOf(body: string): string {
  const said = /"message":\s*"((?:[^"\\]|\\.)*)"/.exec(body);
  return (said ? String(JSON.parse(`"${said[1]}"`)) : body).slice(0, 300);
}
