import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** A UDP service on a free port of loopback that sends everything back. */
export class EchoServer {
  readonly port: number;
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
    // One that cannot be sent is lost, as datagrams may be.
    socket.on('message', (message, { port, address }) => {
      socket.send(message, port, address, () => {});
    });
  }

  static async start(): Promise<EchoServer> {
    return new EchoServer(await loopbackSocket());
  }

  close(): void {
    this.#socket.close();
  }
}

/** Bound to a free port. */
export async function loopbackSocket(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}
