using System.Net;
using Lintel.Features.Accounts.Email;
using Lintel.Infrastructure;

namespace Lintel.Features.Accounts.Passwords;

public sealed class PasswordRulesTests(SqliteEmailServer server) : IClassFixture<SqliteEmailServer>
{
    private static readonly string[] Listed =
        File.ReadAllLines(Path.Combine(Repository.Root, "src/Lintel.Server/Features/Accounts/Passwords/common-passwords.txt"));

    [Theory]
    [InlineData("short", "Must have 8 to 128 characters.")]
    [InlineData("password", "Must not be one of the passwords that are used most: those are tried first.")]
    [InlineData("PassWord1", "Must not be one of the passwords that are used most: those are tried first.")]
    [InlineData("qwertyuiop", "Must not be one of the passwords that are used most: those are tried first.")]
    [InlineData("zzzzzzzzzzzzzzzz", "Must not be one of the passwords that are used most: those are tried first.")]
    [InlineData("Mason The Builder", "Must not be your name or your e-mail address.")]
    [InlineData("{email}", "Must not be your name or your e-mail address.")]
    [InlineData("{local}", "Must not be your name or your e-mail address.")]
    public async Task A_new_password_that_is_easily_guessed_is_refused_and_the_rule_is_named(string password, string rule)
    {
        var person = await server.SignInAsync();
        await server.ExecuteAsync("UPDATE account SET name = 'Mason the Builder' WHERE id = $1", person.Id);
        var email = AccountsServer.NewEmail();
        var reset = await server.ResetTokenAsync(person.Email);
        using var registered = await server.PostAsync("/auth/register", new { email, password = Fill(password, email), name = "Mason the Builder" });
        using var changed = await server.PostAsync("/auth/password", new { new_password = Fill(password, person.Email) }, person.Tokens.Access);
        using var set = await server.PostAsync("/auth/password/reset", new { token = reset, password = Fill(password, person.Email) });

        await AssertSaysAsync(registered, "password", rule);
        await AssertSaysAsync(changed, "new_password", rule);
        await AssertSaysAsync(set, "password", rule);
        await server.SignInAsync(person.Email);
    }

    [Fact]
    public async Task Whoever_has_such_a_password_from_before_signs_in_as_ever()
    {
        var person = await server.SignInAsync();
        var hash = new Microsoft.AspNetCore.Identity.PasswordHasher<object>().HashPassword(person, "password1");
        await server.ExecuteAsync("UPDATE account SET password_hash = $2 WHERE id = $1", person.Id, hash);

        Assert.Equal(HttpStatusCode.OK, await server.LogInStatusAsync(person.Email, "password1"));
    }

    [Fact]
    public void Every_password_of_the_list_is_found_and_what_lies_between_is_not()
    {
        var common = new CommonPasswords();

        Assert.True(Listed.Length > 10_000);
        Assert.Equal(Listed.Order(StringComparer.Ordinal).Distinct(StringComparer.Ordinal), Listed);
        Assert.All(Listed, password => Assert.True(password.Length >= 8 && common.Contains(password) && common.Contains(password.ToUpperInvariant()), password));
        Assert.All(Listed, password => Assert.Equal(Array.BinarySearch(Listed, password + "~", StringComparer.Ordinal) >= 0, common.Contains(password + "~")));
        Assert.All(["", "\n", "~~~~~~~~~~~~", "        ", AccountsServer.Password, Listed[0] + "\n" + Listed[1]], password => Assert.False(common.Contains(password)));
    }

    private static string Fill(string password, string email) =>
        password.Replace("{email}", email.ToUpperInvariant(), StringComparison.Ordinal).Replace("{local}", email.Split('@')[0], StringComparison.Ordinal);

    private static async Task AssertSaysAsync(HttpResponseMessage response, string field, string rule)
    {
        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Equal(rule, (await response.JsonAsync()).GetProperty("error").GetProperty("details").GetProperty("fields").GetProperty(field)[0].GetString());
    }
}
