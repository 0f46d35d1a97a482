/* SPDX-License-Identifier: Apache-2.0 */
/* form.c - a body of application/x-www-form-urlencoded. */
#include "model/form.h"

#include "model/text.h"

#include <string.h>

/* `n` bytes of the form. */
static bool decode(const char *from, size_t n, char *to, size_t size)
{
        size_t filled = 0;

        for (size_t i = 0; i < n; i++) {
                uint8_t byte = from[i] == '+' ? ' ' : (uint8_t)from[i];

                if (from[i] == '%') {
                        const char digits[3] = {i + 2 < n ? from[i + 1] : '\0',
                                                i + 2 < n ? from[i + 2] : '\0'};

                        if (!hex_read(digits, &byte, 1))
                                return false;
                        i += 2;
                }
                if (byte == '\0' || filled + 1 >= size)
                        return false;
                to[filled++] = (char)byte;
        }
        to[filled] = '\0';
        return true;
}

bool form_read(const char *form, const char *name, char *to, size_t size)
{
        const size_t name_n = strlen(name);

        while (*form) {
                const size_t n = strcspn(form, "&");

                if (n > name_n && form[name_n] == '=' && strncmp(form, name, name_n) == 0)
                        return decode(form + name_n + 1, n - name_n - 1, to, size);
                form += n + (form[n] == '&');
        }
        return false;
}
