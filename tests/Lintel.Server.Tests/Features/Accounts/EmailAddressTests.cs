namespace Lintel.Features.Accounts;

public sealed class EmailAddressTests
{
    [Theory]
    [InlineData("a@example.com")]
    [InlineData("first.last+tag@sub.example.co.uk")]
    [InlineData("o'brien_{x}|~!#$%&*/=?^`@example.com")]
    [InlineData("ülkü@münchen.example")]
    [InlineData("用户@例子.公司")]
    [InlineData("1@2.3d")]
    public void What_people_use_is_valid(string address) => Assert.True(EmailAddress.IsValid(address));

    [Theory]
    [InlineData("")]
    [InlineData("@")]
    [InlineData("a")]
    [InlineData("a@")]
    [InlineData("@example.com")]
    [InlineData("a@example")]
    [InlineData("a@.com")]
    [InlineData("a@example.")]
    [InlineData("a@example..com")]
    [InlineData("a@-example.com")]
    [InlineData("a@example-.com")]
    [InlineData("a@exa_mple.com")]
    [InlineData("a@exa mple.com")]
    [InlineData(".a@example.com")]
    [InlineData("a.@example.com")]
    [InlineData("a..b@example.com")]
    [InlineData("a b@example.com")]
    [InlineData("a@b@example.com")]
    [InlineData("a\n@example.com")]
    [InlineData("a\0@example.com")]
    [InlineData("<a@example.com>")]
    [InlineData("\"a\"@example.com")]
    [InlineData("a,b@example.com")]
    [InlineData("a@[127.0.0.1]")]
    public void What_is_none_is_not(string address) => Assert.False(EmailAddress.IsValid(address));

    [Fact]
    public void The_parts_have_their_longest()
    {
        var local = new string('a', 64);
        var label = new string('b', 63);

        Assert.True(EmailAddress.IsValid($"{local}@{label}.{label}.example"));
        Assert.False(EmailAddress.IsValid($"a{local}@example.com"));
        Assert.False(EmailAddress.IsValid($"a@b{label}.com"));
        Assert.False(EmailAddress.IsValid($"{local}@{label}.{label}.{label}.com"));
    }

    [Theory]
    [InlineData(" A@Example.COM ", "a@example.com")]
    [InlineData("ÜLKÜ@MÜNCHEN.EXAMPLE", "ülkü@münchen.example")]
    public void Case_and_blanks_around_do_not_count(string written, string compared) => Assert.Equal(compared, EmailAddress.Normalize(written));
}
