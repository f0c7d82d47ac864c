/** Bytes of encoded items after which a page ends: gRPC clients refuse messages of more than 4 MiB by default. */
const PAGE_BYTES = 1024 * 1024;

export interface Page<Message> {
  readonly messages: Message[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

/**
 * The page of a list that begins after the item that `token` names. Tokens are names, so that what comes and goes
 * between two pages moves no other item to another page.
 *
 * @param items in the order of their names
 * @param token empty for the first page
 * @param size of a message when it is encoded, in bytes
 */
export function pageOf<Item, Message>(
  items: readonly Item[],
  token: string,
  nameOf: (item: Item) => string,
  show: (item: Item) => Message,
  size: (message: Message) => number,
): Page<Message> {
  const messages: Message[] = [];
  let bytes = 0;
  let last = token;
  for (const item of items) {
    if (nameOf(item) <= token) continue;
    if (bytes >= PAGE_BYTES) return { messages, nextPageToken: last };
    const message = show(item);
    bytes += size(message);
    messages.push(message);
    last = nameOf(item);
  }
  return { messages, nextPageToken: '' };
}
