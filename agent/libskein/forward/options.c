#include "options.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"Usage: skein-forward --socket PATH --hook NAME --listen ADDR:PORT --to ADDR:PORT [--name NAME] [--json]\n"
	"       skein-forward --socket PATH --hook NAME --in INTERFACE --out INTERFACE [--name NAME] [--json]\n"
	"Forwards UDP over IPv4. Each datagram that comes in is shown to the program at an XDP hook as an\n"
	"Ethernet/IPv4/UDP packet: PASS forwards its payload, TX sends it back to its sender, anything else drops it.\n"
	"Between two interfaces it does the same with all frames; that takes CAP_NET_RAW.\n"
	"  --socket PATH       unix socket of the agent; forwards everything while it is away\n"
	"  --hook NAME         what programs attach to\n"
	"  --listen ADDR:PORT  where clients send to; port 0 takes a free one\n"
	"  --to ADDR:PORT      the server; its replies go back to the client, past the hook\n"
	"  --in INTERFACE      frames that come here are shown to the hook; tap:NAME is a TAP device of its own\n"
	"  --out INTERFACE     where they go; frames that come there go back past the hook\n"
	"  --name NAME         what operators see; skein-forward by default\n"
	"  --json              counters on standard output each second, one line each\n"
	"SIGUSR1 writes the counters once. SIGINT and SIGTERM end it.\n";

static int usage_error(const char *why, const char *what)
{
	fprintf(stderr, "skein-forward: %s%s; try --help\n", why, what);
	return 3;
}

static bool parse_address(const char *text, struct sockaddr_in *address)
{
	const char *colon = strrchr(text, ':');
	char host[INET_ADDRSTRLEN];
	char *end;
	long port;

	if (!colon || colon == text || (size_t)(colon - text) >= sizeof(host) || colon[1] < '0' ||
	    colon[1] > '9')
		return false;
	memcpy(host, text, colon - text);
	host[colon - text] = '\0';
	port = strtol(colon + 1, &end, 10);
	*address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	return *end == '\0' && port <= UINT16_MAX && inet_pton(AF_INET, host, &address->sin_addr) == 1;
}

const char *format_address(const struct sockaddr_in *address, char text[32])
{
	char host[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &address->sin_addr, host, sizeof(host));
	snprintf(text, 32, "%s:%u", host, ntohs(address->sin_port));
	return text;
}

static int check(const struct options *options)
{
	bool udp = options->listen.sin_family && options->to.sin_family;
	bool frames = options->in && options->out;

	if (!options->socket || !options->hook || udp == frames ||
	    (udp && (options->in || options->out)) ||
	    (frames && (options->listen.sin_family || options->to.sin_family)))
		return usage_error("expected --socket, --hook, and --listen with --to or --in with --out",
				   "");
	return 0;
}

static int parse_one(int option, struct options *options, const char *given)
{
	switch (option) {
	case 's':
		options->socket = optarg;
		return 0;
	case 'k':
		options->hook = optarg;
		return 0;
	case 'n':
		options->name = optarg;
		return 0;
	case 'i':
		options->in = optarg;
		return 0;
	case 'o':
		options->out = optarg;
		return 0;
	case 'j':
		options->json = true;
		return 0;
	case 'l':
		if (parse_address(optarg, &options->listen))
			return 0;
		return usage_error("--listen: not ADDR:PORT of IPv4: ", optarg);
	case 't':
		if (parse_address(optarg, &options->to) && options->to.sin_port)
			return 0;
		return usage_error("--to: not ADDR:PORT of IPv4: ", optarg);
	case 'h':
		fputs(usage, stdout);
		return 1;
	default:
		return usage_error("unknown option or missing value: ", given);
	}
}

int options_parse(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "socket", required_argument, NULL, 's' }, { "hook", required_argument, NULL, 'k' },
		{ "listen", required_argument, NULL, 'l' }, { "to", required_argument, NULL, 't' },
		{ "in", required_argument, NULL, 'i' },	    { "out", required_argument, NULL, 'o' },
		{ "name", required_argument, NULL, 'n' },   { "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },	    { 0 },
	};
	int option, ended;

	options->name = "skein-forward";
	opterr = 0;
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		ended = parse_one(option, options, argv[optind - 1]);
		if (ended)
			return ended;
	}
	if (optind < argc)
		return usage_error("unexpected argument: ", argv[optind]);
	return check(options);
}
