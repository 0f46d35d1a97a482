/* SPDX-License-Identifier: Apache-2.0 */
/* echo.c - the least that a server like ours can do: libmicrohttpd on the same kind of loop, json-c reads the body and writes
 * it back. What kuryed costs beyond this is what kuryed does. Prints the port it got; ends with SIGTERM. */
#include <json-c/json.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define BODY_MAX 1024

struct body {
        size_t n;
        char bytes[BODY_MAX];
};

static enum MHD_Result reply(struct MHD_Connection *connection, const struct body *body)
{
        struct json_tokener *tokener = json_tokener_new();
        struct json_object *document = json_tokener_parse_ex(tokener, body->bytes, (int)body->n);
        const char *text = json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN);
        union {
                const char *text;
                char *copied; /* MHD_RESPMEM_MUST_COPY reads it only */
        } out = {.text = text};
        struct MHD_Response *response =
                MHD_create_response_from_buffer(strlen(text), out.copied, MHD_RESPMEM_MUST_COPY);
        enum MHD_Result result;

        MHD_add_response_header(response, "Content-Type", "application/json; charset=utf-8");
        result = MHD_queue_response(connection, 200, response);
        MHD_destroy_response(response);
        json_object_put(document);
        json_tokener_free(tokener);
        return result;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *bytes, size_t *n,
                                  void **context)
{
        struct body *body = *context;

        (void)cls;
        (void)path;
        (void)method;
        (void)version;
        if (!body) {
                *context = calloc(1, sizeof *body);
                return *context ? MHD_YES : MHD_NO;
        }
        if (*n == 0)
                return reply(connection, body);
        if (body->n + *n > BODY_MAX)
                return MHD_NO;
        memcpy(body->bytes + body->n, bytes, *n);
        body->n += *n;
        *n = 0;
        return MHD_YES;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
        (void)cls;
        (void)connection;
        (void)code;
        free(*context);
}

int main(void)
{
        const struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        struct MHD_Daemon *daemon = MHD_start_daemon(
                MHD_USE_EPOLL, 0, NULL, NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR, &address,
                MHD_OPTION_CONNECTION_LIMIT, 4096U, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384,
                MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
        struct epoll_event event = {.events = EPOLLIN};
        int set = epoll_create1(EPOLL_CLOEXEC);

        if (!daemon || set < 0 ||
            epoll_ctl(set, EPOLL_CTL_ADD, MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
                      &event) != 0)
                return 1;
        printf("%d\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
        fflush(stdout);
        for (;;) {
                MHD_UNSIGNED_LONG_LONG theirs = 1000;

                if (MHD_get_timeout(daemon, &theirs) != MHD_YES || theirs > 1000)
                        theirs = 1000;
                epoll_wait(set, &event, 1, (int)theirs);
                MHD_run(daemon);
        }
}
