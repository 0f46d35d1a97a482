/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz.c - runs one parser on inputs: libFuzzer's (`FUZZ=NAME fuzz FOLDER -max_total_time=60`), or, built without it, the files of
 * a corpus: `fuzz FOLDER` replays all that stand in FOLDER/NAME/. */
#include "tests/fuzz/fuzz.h"

#include "model/clean.h"
#include "model/text.h"

#include <dirent.h>
#include <stdio.h>

static const struct target {
        const char *name;
        void (*run)(const uint8_t *bytes, size_t n);
} targets[] = {
#define FUZZ_ROW(name) {#name, fuzz_##name},
        FUZZ_TABLE(FUZZ_ROW)
#undef FUZZ_ROW
};
#define N_TARGETS (sizeof targets / sizeof *targets)

#ifdef WITH_LIBFUZZER

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const struct target *chosen;

/* By the environment, which its children have too. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
        const char *const name = getenv("FUZZ");

        (void)argc, (void)argv;
        for (size_t i = 0; i < N_TARGETS; i++) {
                if (streq(name, targets[i].name))
                        chosen = &targets[i];
                else if (!name)
                        puts(targets[i].name);
        }
        if (!chosen)
                exit(64);
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        chosen->run(bytes, n);
        return 0;
}

#else

/* Its bytes; NULL: it cannot be read. */
static uint8_t *read_file(const char *path, size_t *ret_n)
{
        FILE *from = fopen(path, "rb");
        char *bytes = NULL, piece[4096];
        FILE *to = open_memstream(&bytes, ret_n);
        size_t n;

        assert(to);
        while (from && (n = fread(piece, 1, sizeof piece, from)) > 0)
                fwrite(piece, 1, n, to);
        fclose(to);
        if (!from) {
                free(bytes);
                return NULL;
        }
        fclose(from);
        return (uint8_t *)bytes;
}

/* How many inputs there were. */
static int replay(const struct target *target, const char *corpus)
{
        char folder[1024], path[2048];
        struct dirent *entry;
        DIR *files;
        int count = 0;

        snprintf(folder, sizeof folder, "%s/%s", corpus, target->name);
        files = opendir(folder);
        while (files && (entry = readdir(files))) {
                CLEAN(free_at) uint8_t *bytes = NULL;
                size_t n;

                if (entry->d_name[0] == '.')
                        continue;
                snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
                bytes = read_file(path, &n);
                assert(bytes);
                printf("# %s/%s\n", target->name, entry->d_name);
                target->run(bytes, n);
                count++;
        }
        if (files)
                closedir(files);
        return count;
}

int main(int argc, char **argv)
{
        bool fine = true;

        if (argc != 2)
                return 64;
        setvbuf(stdout, NULL, _IOLBF, 0); /* the last line names the input that was too much */
        printf("1..%zu\n", N_TARGETS);
        for (size_t i = 0; i < N_TARGETS; i++) {
                const int count = replay(&targets[i], argv[1]);

                printf("%s %zu - %s takes what stands in its corpus\n", count ? "ok" : "not ok", i + 1,
                       targets[i].name);
                fine &= count > 0;
        }
        return fine ? 0 : 1;
}

#endif
