/* SPDX-License-Identifier: Apache-2.0 */
/* network.c - preloaded below a program, names that lead where a test says, and authorities that it made.
 *
 * BELOW_NETWORK_NAMES is a file of lines `name address address ...`, read at each question; what no line names is the system's
 * to answer. `hang` in place of an address hangs for ever, `away` is a DNS that does not answer. Of several lines of one name
 * each answers once, and the last one from then on. BELOW_NETWORK_AUTHORITIES is read in place of the system's list. */
#undef _FILE_OFFSET_BITS

#include "tests/below/below.h"

#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define AUTHORITIES "/etc/ssl/certs/ca-certificates.crt" /* Debian's */
#define NAMES_MAX 256

typedef int asking(const char *, const char *, const struct addrinfo *, struct addrinfo **);
typedef FILE *opening(const char *, const char *);

/* --- names --- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
        char name[256];
        int asked;
} names[NAMES_MAX];

/* How often it was asked for before. */
static int count(const char *name)
{
        int i = 0, n;

        pthread_mutex_lock(&lock);
        while (i < NAMES_MAX - 1 && names[i].name[0] && strcasecmp(names[i].name, name) != 0)
                i++;
        snprintf(names[i].name, sizeof names[i].name, "%s", name);
        n = names[i].asked++;
        pthread_mutex_unlock(&lock);
        return n;
}

/* The line that answers this time, behind the name; NULL: there is none. To be freed. */
static char *find_line(const char *name)
{
        FILE *file = fopen(getenv("BELOW_NETWORK_NAMES"), "re");
        char *line = NULL, *found = NULL;
        size_t size = 0, n = strlen(name);
        int left = -1;

        while (file && left != 0 && getline(&line, &size, file) > 0) {
                if (strncasecmp(line, name, n) != 0 || line[n] != ' ')
                        continue;
                left = left < 0 ? count(name) : left - 1;
                free(found);
                found = strdup(line + n + 1);
        }
        free(line);
        if (file)
                fclose(file);
        return found;
}

/* All that stand there, in this order; freeaddrinfo() frees each by itself. */
static int answer(asking *ask, char *line, const struct addrinfo *hints, struct addrinfo **ret)
{
        struct addrinfo numeric = *hints, **at = ret;
        char *rest = NULL;

        *ret = NULL;
        numeric.ai_flags |= AI_NUMERICHOST;
        for (char *word = strtok_r(line, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
                while (strcasecmp(word, "hang") == 0)
                        pause();
                if (strcasecmp(word, "away") == 0)
                        return EAI_AGAIN;
                if (ask(word, NULL, &numeric, at) == 0)
                        at = &(*at)->ai_next;
        }
        return *ret ? 0 : EAI_NONAME;
}

EXPORT int getaddrinfo(const char *restrict name, const char *restrict service,
                       const struct addrinfo *restrict hints, struct addrinfo **restrict ret)
{
        char *line = name && getenv("BELOW_NETWORK_NAMES") ? find_line(name) : NULL;
        asking *ask;
        int r;

        *(void **)&ask = below_next("getaddrinfo");
        r = line ? answer(ask, line, hints, ret) : ask(name, service, hints, ret);
        free(line);
        return r;
}

/* --- authorities --- */

static FILE *open_instead(const char *call, const char *path, const char *mode)
{
        const char *ours = getenv("BELOW_NETWORK_AUTHORITIES");
        opening *open_file;

        *(void **)&open_file = below_next(call);
        return open_file(ours && strcasecmp(path, AUTHORITIES) == 0 ? ours : path, mode);
}

EXPORT FILE *fopen(const char *restrict path, const char *restrict mode)
{
        return open_instead("fopen", path, mode);
}

EXPORT FILE *fopen64(const char *restrict path, const char *restrict mode)
{
        return open_instead("fopen64", path, mode);
}
