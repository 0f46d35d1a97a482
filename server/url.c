/* SPDX-License-Identifier: Apache-2.0 */
/* url.c - a few questions to curl's own reader. */
#include "server/url.h"

#include "model/clean.h"
#include "model/text.h"
#include "server/guard.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <string.h>

/* Names are kept to what DNS has, because `*` and `,` mean something in a pin; what else is allowed is of IPv6 addresses,
 * whose brackets curl has checked. */
static bool read_host(char *text, char host[URL_HOST_SIZE])
{
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._[:]";
        bool is_v6 = text[0] == '[';

        if (is_v6)
                text[strlen(text) - 1] = '\0';
        return text[0] && text[strspn(text, allowed)] == '\0' && text_copy(host, URL_HOST_SIZE, text + is_v6);
}

bool url_read(struct url *url, const char *text, char host[URL_HOST_SIZE])
{
        char *scheme = NULL, *name = NULL, *port = NULL;
        bool fine;

        *url = (struct url){.handle = curl_url()};
        fine = url->handle &&
               curl_url_set(url->handle, CURLUPART_URL, text, CURLU_DISALLOW_USER) == CURLUE_OK &&
               curl_url_get(url->handle, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
               curl_url_get(url->handle, CURLUPART_HOST, &name, 0) == CURLUE_OK &&
               curl_url_get(url->handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
               read_host(name, host);
        if (fine) {
                url->port = port_read(port);
                url->plain = !streq(scheme, "https");
        }
        curl_free(scheme);
        curl_free(name);
        curl_free(port);
        return fine;
}

bool url_may_be_given(const struct guard *guard, const char *text)
{
        CLEAN(url_done) struct url url = {0};
        char host[URL_HOST_SIZE];
        uint8_t address[sizeof(struct in6_addr)];

        if (!url_read(&url, text, host))
                return false;
        if (inet_pton(AF_INET, host, address) != 1 && inet_pton(AF_INET6, host, address) != 1)
                return true;
        return guard_allows(guard, host, url.port, url.plain);
}

void url_done(struct url *url)
{
        curl_url_cleanup(url->handle);
}
